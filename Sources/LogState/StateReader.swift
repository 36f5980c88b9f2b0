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

    /// A length of one byte, and so many of UTF-8.
    mutating func text(byteCountMax: Int) throws(LogStateError) -> String {
        let count = Int(try self.integer(UInt8.self))
        guard count <= byteCountMax else { throw .notCanonical(.text) }
        guard count <= self.bytes.count - self.offset else { throw .truncated }
        let start = self.bytes.startIndex + self.offset
        guard let text = String(validating: self.bytes[start..<start + count], as: UTF8.self) else {
            throw .notCanonical(.text)
        }
        self.offset += count
        return text
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
