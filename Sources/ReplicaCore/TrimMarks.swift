import DequeModule
import LogModel

/// The trims that stand in the log: how far it was decided to trim, and what waits for its commit.
package struct TrimMarks: Sendable {
    private struct Mark {
        /// Segments before this one go.
        var first: SegmentID
        /// Where the trim frame ends.
        var end: Position
    }

    /// What a committed frame says; segment 0 before the first trim.
    package private(set) var committed: SegmentID
    private var marks: Deque<Mark> = []

    package init(committed: SegmentID = .first) {
        self.committed = committed
    }

    /// As of the tail, committed or not.
    var newest: SegmentID { self.marks.last?.first ?? self.committed }
    /// Where the newest trim frame ends that is not committed yet.
    var uncommittedEnd: Position? { self.marks.last?.end }

    package mutating func append(_ first: SegmentID, end: Position) {
        self.marks.append(Mark(first: first, end: end))
    }

    /// - Returns: Whether there is something more to be trimmed now.
    @discardableResult
    package mutating func commit(through position: Position) -> Bool {
        let before = self.committed
        while let oldest = self.marks.first, oldest.end <= position {
            self.committed = oldest.first
            self.marks.removeFirst()
        }
        return self.committed > before
    }

    mutating func truncate(to position: Position) {
        while let newest = self.marks.last, newest.end > position { self.marks.removeLast() }
    }
}
