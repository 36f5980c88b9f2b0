import LogModel
import SegmentFormat

/// Reads fields off the front of a control payload, little-endian.
struct StateReader {
    private let bytes: Bytes
    private var offset = 0

    init(_ bytes: Bytes) {
        self.bytes = bytes
    }

    mutating func integer<Number: FixedWidthInteger & BitwiseCopyable>(
        _: Number.Type = Number.self
    ) throws(LogStateError) -> Number {
        let size = MemoryLayout<Number>.size
        guard size <= self.bytes.count - self.offset else { throw .truncated }
        defer { self.offset += size }
        return self.bytes.span.bytes.load(Number.self, at: self.offset)
    }

    mutating func position() throws(LogStateError) -> Position {
        let segment: UInt32 = try self.integer()
        return Position(segment, try self.integer())
    }

    func finish() throws(LogStateError) {
        guard self.offset == self.bytes.count else { throw .trailingBytes(self.bytes.count - self.offset) }
    }
}

extension [UInt8] {
    mutating func append(_ position: Position) {
        self.append(littleEndian: position.segment.rawValue)
        self.append(littleEndian: position.offset)
    }
}
