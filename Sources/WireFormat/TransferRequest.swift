import LogModel

/// A leader asks a follower that is level with it to campaign at once (Ongaro's dissertation §3.10).
package struct TransferRequest: WireMessage {
    package var term: Term
    package var leader: Member

    package init(term: Term, leader: Member) {
        self.term = term
        self.leader = leader
    }

    package init(reading reader: inout WireReader) throws(WireError) {
        self.term = try reader.term()
        self.leader = try reader.member()
    }

    package func encode(into bytes: inout [UInt8]) {
        bytes.put(self.term)
        bytes.put(self.leader)
    }
}
