import LogModel

/// Asks for a vote, or with `isPreVote` whether one would be given (Raft §5.2; Ongaro's dissertation §9.6).
package struct VoteRequest: WireMessage {
    package var term: Term
    package var candidate: Member
    package var last: LogPoint
    package var isPreVote: Bool
    /// The leader itself asked the candidate to run, so that a live leader is no reason to refuse.
    package var isTransfer: Bool

    package init(term: Term, candidate: Member, last: LogPoint, isPreVote: Bool, isTransfer: Bool = false) {
        self.term = term
        self.candidate = candidate
        self.last = last
        self.isPreVote = isPreVote
        self.isTransfer = isTransfer
    }

    package init(reading reader: inout WireReader) throws(WireError) {
        self.term = try reader.term()
        self.candidate = try reader.member()
        self.last = try reader.point()
        self.isPreVote = try reader.bool()
        self.isTransfer = try reader.bool()
    }

    package func encode(into bytes: inout [UInt8]) {
        bytes.put(self.term)
        bytes.put(self.candidate)
        bytes.put(self.last)
        bytes.put(self.isPreVote)
        bytes.put(self.isTransfer)
    }
}

package enum VoteRefusal: UInt8, Hashable, Sendable, CaseIterable {
    case staleTerm = 1
    case alreadyVoted = 2
    case behind = 3
    case leaderAlive = 4
    case mayNotVote = 5
}

package struct VoteReply: WireMessage {
    package var term: Term
    package var voter: Member
    package var isGranted: Bool
    package var isPreVote: Bool
    package var refusal: VoteRefusal?

    package init(term: Term, voter: Member, isGranted: Bool, isPreVote: Bool, refusal: VoteRefusal? = nil) {
        self.term = term
        self.voter = voter
        self.isGranted = isGranted
        self.isPreVote = isPreVote
        self.refusal = refusal
    }

    package init(reading reader: inout WireReader) throws(WireError) {
        self.term = try reader.term()
        self.voter = try reader.member()
        self.isGranted = try reader.bool()
        self.isPreVote = try reader.bool()
        let code: UInt8 = try reader.integer()
        if code == 0 {
            self.refusal = nil
        } else {
            guard let refusal = VoteRefusal(rawValue: code) else { throw .badValue(.refusal) }
            self.refusal = refusal
        }
    }

    package func encode(into bytes: inout [UInt8]) {
        bytes.put(self.term)
        bytes.put(self.voter)
        bytes.put(self.isGranted)
        bytes.put(self.isPreVote)
        bytes.append(self.refusal?.rawValue ?? 0)
    }
}
