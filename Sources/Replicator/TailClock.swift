import LogModel

/// When the log came to be how long: tells by how much time somebody who has it up to a position is behind.
///
/// Bounded: marks lie `spacing` apart, and the oldest leave; whoever is behind all of them is at least so late.
struct TailClock {
    private struct Mark {
        var tail: Position
        var time: MonotonicTime
    }

    private static let markCountMax = 1_024
    private static let spacingMilliseconds: UInt64 = 50
    /// Ascending, from `start` on around.
    private var marks: [Mark] = []
    private var start = 0
    private var newest: Mark?

    /// To be called often; looks at the clock it is given and no other.
    mutating func passed(_ tail: Position, at time: MonotonicTime) {
        guard let newest = self.newest else { return self.enter(Mark(tail: tail, time: time)) }
        guard newest.tail != tail, time.milliseconds(since: newest.time) >= Self.spacingMilliseconds else { return }
        // The log was cut: what lay behind the cut never was.
        if tail < newest.tail {
            self.marks = []
            self.start = 0
        }
        self.enter(Mark(tail: tail, time: time))
    }

    private mutating func enter(_ mark: Mark) {
        self.newest = mark
        guard self.marks.count == Self.markCountMax else { return self.marks.append(mark) }
        self.marks[self.start] = mark
        self.start = (self.start + 1) % Self.markCountMax
    }

    /// - Returns: Milliseconds since the log reached beyond `position`; 0 when it does not, as far as is marked.
    /// - Complexity: O(log marks).
    func milliseconds(behind position: Position, now: MonotonicTime) -> UInt64 {
        var low = 0
        var high = self.marks.count
        while low < high {
            let middle = (low + high) / 2
            if self.mark(middle).tail > position { high = middle } else { low = middle + 1 }
        }
        return low == self.marks.count ? 0 : now.milliseconds(since: self.mark(low).time)
    }

    private func mark(_ place: Int) -> Mark { self.marks[(self.start + place) % self.marks.count] }
}
