import DequeModule
import LogModel
import SegmentFormat

/// How the log ended after each frame that is not committed yet, so that a truncation needs no reading.
package struct ChainMarks: Sendable {
    private struct Mark {
        var chain: FrameChain
        /// Of the frame that ends there.
        var byteCount: Int
    }

    /// At the commit position.
    package private(set) var committed: FrameChain
    /// Bytes of the uncommitted frames.
    package private(set) var byteCount = 0
    private var marks: Deque<Mark> = []

    package init(committed: FrameChain) {
        self.committed = committed
    }

    package var tail: FrameChain { self.marks.last?.chain ?? self.committed }

    package mutating func append(_ chain: FrameChain, byteCount: Int) {
        self.marks.append(Mark(chain: chain, byteCount: byteCount))
        self.byteCount += byteCount
    }

    /// Commits whole frames: those that end at or before `position`.
    package mutating func commit(through position: Position) {
        while let oldest = self.marks.first, oldest.chain.tail <= position {
            self.committed = oldest.chain
            self.byteCount -= oldest.byteCount
            self.marks.removeFirst()
        }
    }

    /// The chain that ends at `point`, if `point` is the commit position or an end of an uncommitted frame.
    ///
    /// - Complexity: O(log frames).
    package func chain(at point: LogPoint) -> FrameChain? {
        if self.committed.point == point { return self.committed }
        var low = 0
        var high = self.marks.count
        while low < high {
            let middle = (low + high) / 2
            if self.marks[middle].chain.tail < point.position { low = middle + 1 } else { high = middle }
        }
        guard low < self.marks.count, self.marks[low].chain.point == point else { return nil }
        return self.marks[low].chain
    }

    package mutating func truncate(to point: LogPoint) {
        while let newest = self.marks.last, newest.chain.tail > point.position {
            self.byteCount -= newest.byteCount
            self.marks.removeLast()
        }
    }
}
