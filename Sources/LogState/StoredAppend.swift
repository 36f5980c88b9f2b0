import LogModel
import SegmentFormat

/// Where an append stands, so that its repetition gets the same answer.
///
///     u64 first index | u64 term | u32 segment | u32 offset | u32 frame length | u16 record count
package struct StoredAppend: Hashable, Sendable {
    static let encodedByteCount = 30

    package var firstIndex: LogIndex
    package var recordCount: UInt32
    package var term: Term
    /// Of the frame's first byte.
    package var position: Position
    package var end: Position

    package init(firstIndex: LogIndex, recordCount: UInt32, term: Term, position: Position, end: Position) {
        self.firstIndex = firstIndex
        self.recordCount = recordCount
        self.term = term
        self.position = position
        self.end = end
    }

    init(_ header: FrameHeader, at position: Position) {
        self.init(
            firstIndex: header.firstIndex, recordCount: header.recordCount, term: header.term, position: position,
            end: position.advanced(by: Int(header.length)))
    }

    package var lastIndex: LogIndex { LogIndex(self.firstIndex.rawValue + UInt64(self.recordCount) - 1) }

    /// One of the appends of a run, which share their frame.
    init(_ header: FrameHeader, at position: Position, number: UInt64) {
        self.init(
            firstIndex: header.firstIndex.advanced(by: number), recordCount: 1, term: header.term, position: position,
            end: position.advanced(by: Int(header.length)))
    }

    /// Whether an append can stand behind `other` in one log, in another frame.
    func follows(_ other: StoredAppend) -> Bool {
        other.lastIndex < self.firstIndex && other.end <= self.position && other.term <= self.term
    }

    /// Whether both can be appends of one run, the next one and `other`.
    func continuesRun(of other: StoredAppend) -> Bool {
        var next = other
        next.firstIndex = other.firstIndex.advanced(by: 1)
        return other.recordCount == 1 && next == self
    }

    func encode(into bytes: inout [UInt8]) {
        bytes.append(littleEndian: self.firstIndex.rawValue)
        bytes.append(littleEndian: self.term.rawValue)
        bytes.append(self.position)
        bytes.append(littleEndian: self.end.offset - self.position.offset)
        bytes.append(littleEndian: UInt16(self.recordCount))
    }

    static func read(_ reader: inout StateReader) throws(LogStateError) -> StoredAppend {
        let index = LogIndex(try reader.integer())
        let term = Term(try reader.integer())
        let position = try reader.position()
        let length: UInt32 = try reader.integer()
        let recordCount = UInt32(try reader.integer(UInt16.self))
        guard
            length >= FrameHeader.producerByteCount, length <= FormatLimits.frameByteCountMax,
            length <= UInt32.max - position.offset, recordCount > 0, index >= .first,
            index.rawValue <= UInt64.max - UInt64(recordCount)
        else { throw .notCanonical(.results) }
        return StoredAppend(
            firstIndex: index, recordCount: recordCount, term: term, position: position,
            end: position.advanced(by: Int(length)))
    }
}
