import LogModel
import SegmentFormat

/// The state at the tail, and how to take back each frame that is not committed yet.
///
///     committed | undo | undo | undo |     newest last; truncation takes back from there
///                                    ^current
package struct LogStateHistory: Sendable {
    private struct Step: Sendable {
        var end: Position
        var undo: LogState.Undo
    }

    package private(set) var current: LogState
    package private(set) var committedThrough: Position
    /// Steps before ``firstStep`` are committed and wait to be cleared in bulk.
    private var steps: [Step] = []
    private var firstStep = 0

    /// - Parameter position: Where `state` was computed; everything up to there is committed.
    package init(state: LogState, at position: Position) {
        self.current = state
        self.committedThrough = position
    }

    /// The end of the newest frame that was applied.
    package var tail: Position { self.steps.last?.end ?? self.committedThrough }
    /// The cursors as of ``committedThrough``.
    ///
    /// - Complexity: O(frames that are not committed).
    package var committedCursors: CursorTable {
        var cursors = self.current.cursors
        for step in self.steps[self.firstStep...].reversed() {
            if case .cursor(let undo) = step.undo.change { cursors.undo(undo) }
        }
        return cursors
    }

    package var uncommittedCount: Int { self.steps.count - self.firstStep }

    /// Applies one frame.
    ///
    /// - Parameter end: Where the frame ends.
    /// - Throws: ``LogStateError``; nothing has changed then.
    package mutating func apply(
        _ header: FrameHeader, payload: Bytes, at position: Position, end: Position
    ) throws(LogStateError) {
        precondition(end > self.tail, "a frame that ends at \(end) behind \(self.tail)")
        let undo = try self.current.apply(header, payload: payload, at: position)
        self.steps.append(Step(end: end, undo: undo))
    }

    /// Frames through here are never taken back again.
    ///
    /// - Parameter position: At most ``tail``; an earlier commit position changes nothing.
    /// - Complexity: O(frames committed), amortised.
    package mutating func commit(through position: Position) {
        guard position > self.committedThrough else { return }
        precondition(position <= self.tail, "commit through \(position) of a log that ends at \(self.tail)")
        self.committedThrough = position
        while self.firstStep < self.steps.count, self.steps[self.firstStep].end <= position { self.firstStep += 1 }
        guard self.firstStep == self.steps.count || self.firstStep > 1_024 && self.firstStep > self.steps.count / 2
        else { return }
        self.steps.removeFirst(self.firstStep)
        self.firstStep = 0
    }

    /// Takes back every frame that ends behind `position`.
    ///
    /// - Parameter position: At least ``committedThrough``; what is committed is never taken back.
    package mutating func truncate(from position: Position) {
        precondition(position >= self.committedThrough, "\(position) is before \(self.committedThrough), committed")
        while self.steps.count > self.firstStep, let last = self.steps.last, last.end > position {
            self.current.undo(last.undo)
            self.steps.removeLast()
        }
    }
}
