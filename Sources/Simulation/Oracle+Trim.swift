import LogModel
import ReplicaCore
import SegmentFormat

/// What may be gone from a log.
extension Oracle {
    mutating func asksToTrim(before index: LogIndex) { self.trimAskedMax = max(self.trimAskedMax, index) }

    /// A leader says where the log begins: with a segment of the committed log, and no later than anybody asked for.
    func trimmed(to outcome: TrimOutcome) throws(Violation) {
        let start = Position(segment: outcome.first, offset: UInt32(SegmentHeader.byteCount))
        let checkpoint = self.number(at: start).map { self.committed[$0].frame }
        guard let checkpoint, checkpoint.kind == .checkpoint, checkpoint.firstIndex == outcome.firstIndex,
            outcome.firstIndex <= self.trimAskedMax
        else {
            throw Violation(
                invariant: .trimmedAsAsked,
                detail: "the log is said to begin at \(outcome.firstIndex) with segment \(outcome.first), trims were "
                    + "asked for up to \(self.trimAskedMax)")
        }
    }

    /// How many committed frames stood before the log's first one: what is left is a suffix, frame by frame.
    func trimmedCount(_ node: Int, _ log: MirroredLog) throws(Violation) -> Int {
        guard let first = log.frames.first, first.position.segment > .first else { return 0 }
        guard let number = self.number(at: first.position), self.committed[number].frame == first else {
            throw Violation(
                invariant: .committedNeverChanges,
                detail: "node \(node) begins at \(first.position) with a frame that was never committed")
        }
        return number
    }

    /// Which committed frame begins at `position`.
    private func number(at position: Position) -> Int? {
        var low = 0
        var high = self.committed.count
        while low < high {
            let middle = (low + high) / 2
            if self.committed[middle].frame.position < position { low = middle + 1 } else { high = middle }
        }
        return low < self.committed.count && self.committed[low].frame.position == position ? low : nil
    }
}
