import LogModel

/// A follower asks for the commit position that a linearizable read has to see (ReadIndex, dissertation §6.4).
package struct ReadIndexRequest: WireMessage {
    package var term: Term
    package var follower: Member
    /// Chosen by the follower; comes back with the reply.
    package var number: UInt64

    package init(term: Term, follower: Member, number: UInt64) {
        self.term = term
        self.follower = follower
        self.number = number
    }

    package init(reading reader: inout WireReader) throws(WireError) {
        self.term = try reader.term()
        self.follower = try reader.member()
        self.number = try reader.integer()
    }

    package func encode(into bytes: inout [UInt8]) {
        bytes.put(self.term)
        bytes.put(self.follower)
        bytes.put(self.number)
    }
}

/// What was committed when the leader, confirmed by a quorum since, began to answer.
package struct ReadIndexReply: WireMessage {
    package var term: Term
    package var leader: Member
    package var number: UInt64
    package var commit: Position

    package init(term: Term, leader: Member, number: UInt64, commit: Position) {
        self.term = term
        self.leader = leader
        self.number = number
        self.commit = commit
    }

    package init(reading reader: inout WireReader) throws(WireError) {
        self.term = try reader.term()
        self.leader = try reader.member()
        self.number = try reader.integer()
        self.commit = try reader.position()
    }

    package func encode(into bytes: inout [UInt8]) {
        bytes.put(self.term)
        bytes.put(self.leader)
        bytes.put(self.number)
        bytes.put(self.commit)
    }
}
