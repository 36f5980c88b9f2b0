import LogModel
import SegmentFormat

extension FrameChain {
    /// Steps over a frame that has been checked already.
    package mutating func advance(over header: FrameHeader, at position: Position) {
        self.tail = position.advanced(by: Int(header.length))
        self.previousChecksum = header.headerChecksum
        self.nextIndex = header.firstIndex.advanced(by: UInt64(header.recordCount))
        self.term = header.term
        self.timestamp = header.timestamp
    }
}
