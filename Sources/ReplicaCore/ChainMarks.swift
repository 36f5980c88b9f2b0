import DequeModule
import LogModel
import SegmentFormat

/// How the log ended after each frame that is not committed yet, so that a truncation needs no reading.
package struct ChainMarks: Sendable {
    /// At the commit position.
    package private(set) var committed: FrameChain
    private var marks: Deque<FrameChain> = []

    package init(committed: FrameChain) {
        self.committed = committed
    }

    package var tail: FrameChain { self.marks.last ?? self.committed }

    package mutating func append(_ chain: FrameChain) {
        self.marks.append(chain)
    }

    package mutating func commit(through position: Position) {
        while let oldest = self.marks.first, oldest.tail <= position {
            self.committed = oldest
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
            if self.marks[middle].tail < point.position { low = middle + 1 } else { high = middle }
        }
        guard low < self.marks.count, self.marks[low].point == point else { return nil }
        return self.marks[low]
    }

    package mutating func truncate(to point: LogPoint) {
        while let newest = self.marks.last, newest.tail > point.position { self.marks.removeLast() }
    }
}
