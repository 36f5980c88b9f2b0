import LogModel

/// Whether a node must not vote, as VOTE keeps it across starts.
package enum VotingBar: Int, Comparable, Sendable {
    case none
    /// The log may be short of what the node vouched for: until it holds again all that may have been committed.
    case untilLevel
    /// Term and vote are unknown: only another incarnation votes.
    case forGood

    package static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}

/// One slot of VOTE (see ``Slot``):
///
///     words 0-1 term | 2-3 incarnation | 4 node | 5-6 term, 7-8 position vouched for | 9-10 zero
///     flags: 1 has voted | 2 barred for good | 4 barred until level | 8 what it vouched for is known
package struct VoteSlot: Hashable, Sendable {
    package var term: Term
    /// For whom; `nil` when for nobody in this term.
    package var member: Member?
    package var bar: VotingBar
    /// Of a node barred until level: the last point that it may have vouched for; `nil` when nobody knows.
    package var vouched: LogPoint?
    package var sequence: UInt64

    package init(term: Term, member: Member?, bar: VotingBar, vouched: LogPoint? = nil, sequence: UInt64) {
        self.term = term
        self.member = member
        self.bar = bar
        self.vouched = vouched
        self.sequence = sequence
    }

    /// The two slots in the bytes of a VOTE file, `nil` for one that is bad.
    package static func slots(file bytes: [UInt8]) -> [VoteSlot?] {
        Slot.slots(of: bytes, at: VoteFile.offsets, magic: VoteFile.magic).map { $0.map { VoteSlot($0) } }
    }

    init(_ slot: Slot) {
        let member = Member(node: NodeID(slot.words[4]), incarnation: Incarnation(slot.number(at: 2)))
        self.init(
            term: Term(slot.number(at: 0)), member: slot.flags & 1 != 0 ? member : nil,
            bar: slot.flags & 2 != 0 ? .forGood : slot.flags & 4 != 0 ? .untilLevel : .none,
            vouched: slot.flags & 8 != 0
                ? LogPoint(
                    term: Term(slot.number(at: 5)),
                    position: Position(segment: SegmentID(slot.words[7]), offset: slot.words[8])) : nil,
            sequence: slot.sequence)
    }

    func encoded() -> [UInt8] {
        let words =
            Slot.split(self.term.rawValue) + Slot.split(self.member?.incarnation.rawValue ?? 0)
            + [self.member?.node.rawValue ?? 0] + Slot.split(self.vouched?.term.rawValue ?? 0)
            + [self.vouched?.position.segment.rawValue ?? 0, self.vouched?.position.offset ?? 0, 0, 0]
        let flags: UInt16 = (self.member == nil ? 0 : 1) | [0, 4, 2][self.bar.rawValue] | (self.vouched == nil ? 0 : 8)
        return Slot(flags: flags, sequence: self.sequence, words: words).encoded(magic: VoteFile.magic)
    }
}
