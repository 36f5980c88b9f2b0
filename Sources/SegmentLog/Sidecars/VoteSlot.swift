import LogModel

/// Whether a node must not vote, as VOTE keeps it across starts.
package enum VotingBar: Hashable, Sendable {
    case none
    /// The log may be short of what the node vouched for: until it holds again all that may have been committed.
    case untilLevel
}

/// One slot of VOTE (see ``Slot``):
///
///     words 0-1 term | 2-3 incarnation | 4 node | 5 why it is retired, or 0 | 6-7 term, 8-9 position vouched for | 10 zero
///     flags: 1 has voted | 2 barred until level | 4 what it vouched for is known
package struct VoteSlot: Hashable, Sendable {
    package var term: Term
    /// For whom; `nil` when for nobody in this term.
    package var member: Member?
    package var bar: VotingBar
    /// Of a node barred until level: the last point that it may have vouched for; `nil` when nobody knows.
    package var vouched: LogPoint?
    /// Why this incarnation neither votes nor counts any more.
    package var retirement: Retirement?
    package var sequence: UInt64

    package init(
        term: Term, member: Member?, bar: VotingBar, vouched: LogPoint? = nil, retirement: Retirement? = nil,
        sequence: UInt64
    ) {
        self.term = term
        self.member = member
        self.bar = bar
        self.vouched = vouched
        self.retirement = retirement
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
            bar: slot.flags & 2 != 0 ? .untilLevel : .none,
            vouched: slot.flags & 4 != 0
                ? LogPoint(
                    term: Term(slot.number(at: 6)),
                    position: Position(segment: SegmentID(slot.words[8]), offset: slot.words[9])) : nil,
            retirement: UInt8(exactly: slot.words[5]).flatMap(Retirement.init(rawValue:)), sequence: slot.sequence)
    }

    func encoded() -> [UInt8] {
        let words =
            Slot.split(self.term.rawValue) + Slot.split(self.member?.incarnation.rawValue ?? 0)
            + [self.member?.node.rawValue ?? 0, UInt32(self.retirement?.rawValue ?? 0)]
            + Slot.split(self.vouched?.term.rawValue ?? 0)
            + [self.vouched?.position.segment.rawValue ?? 0, self.vouched?.position.offset ?? 0, 0]
        let flags: UInt16 = (self.member == nil ? 0 : 1) | (self.bar == .none ? 0 : 2) | (self.vouched == nil ? 0 : 4)
        return Slot(flags: flags, sequence: self.sequence, words: words).encoded(magic: VoteFile.magic)
    }
}
