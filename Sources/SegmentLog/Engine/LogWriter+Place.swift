import LogModel
import SegmentFormat

/// Appending what this process itself encodes: nothing is checked again, and nothing is copied but into place.
extension LogWriter {
    /// Places an encoded frame at the tail.
    ///
    /// - Parameters:
    ///   - frame: The whole frame, its header yet to be filled in; at most ``remainingByteCount`` bytes.
    ///   - term: Not below the last frame's.
    /// - Returns: The frame's position; the tail lies behind it.
    /// - Throws: ``LogError/noSpace``, ``LogError/storage(_:)``: the log is as it was, or closed to writers.
    ///   ``LogError/failed``, ``LogError/closed``.
    /// - Complexity: One copy, into the mapping or to what is staged; one write where there is neither.
    func place(
        _ outline: FrameOutline, in frame: inout MutableRawSpan, term: Term, node: NodeID, timestamp: Timestamp
    ) throws(LogError) -> Position {
        try self.checkOpen()
        precondition(outline.byteCount <= self.remainingByteCount, "the frame does not fit")
        var next = self.chain
        let position = next.tail
        let header = next.place(outline, in: &frame, term: term, node: node, timestamp: timestamp)
        try self.put(frame.bytes, at: Int(position.offset))
        self.chain = next
        let placed = next
        self.store.withLayout { $0.appended(header, at: position.offset, chain: placed) }
        return position
    }

    /// Begins the next segment with its checkpoint.
    ///
    /// - Throws: As ``append(_:at:)``; the log is as it was.
    /// - Complexity: A rename; making the file too, unless it was prepared.
    func beginSegment(
        checkpoint payload: [UInt8], term: Term, node: NodeID, timestamp: Timestamp
    ) throws(LogError) {
        var chain = self.chain
        var bytes = chain.startSegment()
        let start = Position(segment: chain.tail.segment, offset: 0)
        bytes +=
            chain.place(.control(.checkpoint, payload: payload), term: term, node: node, timestamp: timestamp).bytes
        try self.append(bytes[...], at: start)
    }

    /// The pages to be made present next, if it is time for it: to be performed by any thread.
    package func takePopulation() -> SegmentPopulation? {
        self.active.takePopulation(tail: Int(self.chain.tail.offset))
    }
}
