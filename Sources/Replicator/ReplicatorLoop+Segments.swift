import LogModel
import SegmentLog

/// A segment of the log, as people see it.
package struct ReplicatorSegment: Hashable, Sendable {
    package enum State: String, Hashable, Sendable {
        case active
        case sealed
        /// Some of it is damaged: reads of that are refused.
        case quarantined
        /// A good copy is on its way.
        case repairing
    }

    package var id: SegmentID
    package var firstIndex: LogIndex
    package var recordCount: UInt64
    package var byteCount: Int
    package var state: State
    /// Of its frames, as far as the log remembers; ascending.
    package var terms: [Term]
}

extension ReplicatorLoop {
    func segments() -> [ReplicatorSegment] {
        let summaries = self.store.segments
        let damaged = Set(self.core.damagedSegments)
        let starts = self.core.termStarts
        return summaries.enumerated().map { place, summary in
            let isLast = place == summaries.count - 1
            let next = isLast ? self.store.nextIndex : summaries[place + 1].firstIndex
            let state: ReplicatorSegment.State =
                if self.core.repairing == summary.id {
                    .repairing
                } else if damaged.contains(summary.id) {
                    .quarantined
                } else {
                    isLast ? .active : .sealed
                }
            return ReplicatorSegment(
                id: summary.id, firstIndex: summary.firstIndex,
                recordCount: next.rawValue - min(next.rawValue, summary.firstIndex.rawValue),
                byteCount: summary.byteCount, state: state, terms: Self.terms(in: summary.id, of: starts))
        }
    }

    /// The term that the segment begins in, and those that begin in it.
    private static func terms(in segment: SegmentID, of starts: [TermStart]) -> [Term] {
        let begin = Position(segment: segment, offset: 0)
        let within = starts.filter { $0.position.segment == segment }.map(\.term)
        let before = starts.last { $0.position < begin }.map { [$0.term] } ?? []
        return before + within
    }
}
