import LogModel

/// On `pulse`, never queued behind ranges: keeps followers from electing, tells the commit position and confirms
/// leadership for reads (Ongaro's dissertation §6.4).
package struct Heartbeat: WireMessage {
    package var term: Term
    package var leader: Member
    package var commit: Position
    /// Echoed by the answer; 0 when no read waits.
    package var readRound: UInt64
    package var clock: Timestamp

    package init(term: Term, leader: Member, commit: Position, readRound: UInt64, clock: Timestamp) {
        self.term = term
        self.leader = leader
        self.commit = commit
        self.readRound = readRound
        self.clock = clock
    }

    package init(reading reader: inout WireReader) throws(WireError) {
        self.term = try reader.term()
        self.leader = try reader.member()
        self.commit = try reader.position()
        self.readRound = try reader.integer()
        self.clock = try reader.timestamp()
    }

    package func encode(into bytes: inout [UInt8]) {
        bytes.put(self.term)
        bytes.put(self.leader)
        bytes.put(self.commit)
        bytes.put(self.readRound)
        bytes.put(self.clock)
    }
}

/// A higher term than the heartbeat's deposes the leader.
package struct HeartbeatReply: WireMessage {
    package var term: Term
    package var follower: Member
    package var readRound: UInt64
    package var clock: Timestamp
    /// Where the last damage in the follower's log ends; zero without any. In the leader's last segment it makes the leader
    /// end that, since only sealed segments are repaired.
    package var unreadable: Position

    package init(term: Term, follower: Member, readRound: UInt64, clock: Timestamp, unreadable: Position) {
        self.term = term
        self.follower = follower
        self.readRound = readRound
        self.clock = clock
        self.unreadable = unreadable
    }

    package init(reading reader: inout WireReader) throws(WireError) {
        self.term = try reader.term()
        self.follower = try reader.member()
        self.readRound = try reader.integer()
        self.clock = try reader.timestamp()
        self.unreadable = try reader.position()
    }

    package func encode(into bytes: inout [UInt8]) {
        bytes.put(self.term)
        bytes.put(self.follower)
        bytes.put(self.readRound)
        bytes.put(self.clock)
        bytes.put(self.unreadable)
    }
}
