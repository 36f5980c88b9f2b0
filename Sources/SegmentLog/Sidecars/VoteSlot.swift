import LogModel

/// One slot of VOTE (see ``Slot``):
///
///     words 0-1 term | 2-3 incarnation | 4 node | 5-10 zero        flags: 1 = has voted, 2 = barred from voting
package struct VoteSlot: Hashable, Sendable {
    package var term: Term
    /// For whom; `nil` when for nobody in this term.
    package var member: Member?
    package var isBarred: Bool
    package var sequence: UInt64

    package init(term: Term, member: Member?, isBarred: Bool, sequence: UInt64) {
        self.term = term
        self.member = member
        self.isBarred = isBarred
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
            isBarred: slot.flags & 2 != 0, sequence: slot.sequence)
    }

    func encoded() -> [UInt8] {
        let words =
            Slot.split(self.term.rawValue) + Slot.split(self.member?.incarnation.rawValue ?? 0)
            + [self.member?.node.rawValue ?? 0] + [UInt32](repeating: 0, count: 6)
        let flags: UInt16 = (self.member == nil ? 0 : 1) | (self.isBarred ? 2 : 0)
        return Slot(flags: flags, sequence: self.sequence, words: words).encoded(magic: VoteFile.magic)
    }
}
