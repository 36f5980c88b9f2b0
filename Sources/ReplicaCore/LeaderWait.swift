import DequeModule
import LogModel

/// Appends and reads that wait for somebody to lead: in an election, or while leadership is handed over.
///
/// Bounded in number and bytes by whoever adds to it, and in time: nobody waits for longer than an election takes.
struct LeaderWait {
    private var proposals: Deque<(proposal: Proposal, deadline: MonotonicTime)> = []
    private var reads: Deque<(id: UInt64, deadline: MonotonicTime)> = []
    /// Of the appends.
    private(set) var byteCount = 0

    var appendIDs: [UInt64] { self.proposals.map(\.proposal.id) }
    var appendCount: Int { self.proposals.count }
    var readCount: Int { self.reads.count }
    var isEmpty: Bool { self.proposals.isEmpty && self.reads.isEmpty }

    mutating func add(_ proposal: Proposal, until deadline: MonotonicTime) {
        self.proposals.append((proposal, deadline))
        self.byteCount += proposal.draft.byteCount
    }

    mutating func add(read id: UInt64, until deadline: MonotonicTime) { self.reads.append((id, deadline)) }

    /// Everybody, in the order in which they came.
    mutating func takeAll() -> (proposals: [Proposal], reads: [UInt64]) {
        defer { self = LeaderWait() }
        return (self.proposals.map(\.proposal), self.reads.map(\.id))
    }

    /// Those whose time is up.
    mutating func takeExpired(at now: MonotonicTime) -> (proposals: [Proposal], reads: [UInt64]) {
        var expired: (proposals: [Proposal], reads: [UInt64]) = ([], [])
        while let oldest = self.proposals.first, now >= oldest.deadline {
            self.byteCount -= oldest.proposal.draft.byteCount
            expired.proposals.append(oldest.proposal)
            self.proposals.removeFirst()
        }
        while let oldest = self.reads.first, now >= oldest.deadline {
            expired.reads.append(oldest.id)
            self.reads.removeFirst()
        }
        return expired
    }
}
