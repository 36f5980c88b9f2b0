import LogModel
import LogState
import SegmentFormat

/// The log's own state, followed frame by frame while recovery reads them, so that no second pass is needed for it.
///
/// Begins with any segment's checkpoint. `nil` from the first frame on that does not fit the state.
struct StateTracker: Sendable {
    private(set) var state: LogState?
    /// Of the last frame that was applied: most frames of records change nothing but begin a term at most.
    private var term: Term?

    /// Whether a frame can change the state.
    @inline(__always)
    func isAffected(by header: FrameHeader) -> Bool {
        // A pattern, not `==`: see `FrameChain.checkPlace`.
        guard case .records = header.kind else { return true }
        return header.label != nil || header.term != self.term
    }

    /// - Parameter frame: All bytes of the frame.
    mutating func apply(_ header: FrameHeader, frame: Bytes, at position: Position) {
        let payload = frame.dropFirst(header.headerByteCount)
        if header.kind == .checkpoint { self.state = try? LogState(decoding: payload) }
        self.term = header.term
        guard var state = self.state else { return }
        self.state = nil
        guard (try? state.apply(header, payload: payload, at: position)) != nil else { return }
        self.state = state
    }
}
