import LogModel
import SegmentFormat

/// The frames of a range that a ``LogStore`` has read and checked.
package struct FrameSequence: Sequence, IteratorProtocol {
    package struct Frame {
        package var header: FrameHeader
        package var payload: Bytes
        package var position: Position
    }

    private let bytes: Bytes
    private var offset: Int
    private var position: Position

    package init(_ range: SegmentRange) {
        let header = range.position.offset == 0 && !range.bytes.isEmpty ? SegmentHeader.byteCount : 0
        self.bytes = range.bytes
        self.offset = range.bytes.startIndex + header
        self.position = range.position.advanced(by: header)
    }

    package mutating func next() -> Frame? {
        guard self.offset < self.bytes.endIndex else { return nil }
        let header = FrameHeader(
            checked: self.bytes.span.bytes.extracting(droppingFirst: self.offset - self.bytes.startIndex))
        let end = self.offset + Int(header.length)
        let frame = Frame(
            header: header, payload: self.bytes[(self.offset + header.headerByteCount)..<end], position: self.position)
        self.position = self.position.advanced(by: Int(header.length))
        self.offset = end
        return frame
    }
}
