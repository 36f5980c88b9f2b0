import LogModel

/// The leader's first message on `replicate`.
package struct ReplicateHello: VersionedWireMessage {
    package var cluster: ClusterID
    package var term: Term
    package var leader: Member

    package init(cluster: ClusterID, term: Term, leader: Member) {
        self.cluster = cluster
        self.term = term
        self.leader = leader
    }

    package init(reading reader: inout WireReader, version: UInt16) throws(WireError) {
        try reader.version(version)
        self.cluster = try reader.cluster()
        self.term = try reader.term()
        self.leader = try reader.member()
    }

    package func encode(into bytes: inout [UInt8], version: UInt16) {
        bytes.put(version)
        bytes.put(self.cluster)
        bytes.put(self.term)
        bytes.put(self.leader)
    }
}

/// The follower's answer: its read-from position, and by its term table where the two logs last agreed.
package struct ReplicateWelcome: VersionedWireMessage {
    package var term: Term
    package var follower: Member
    package var refusal: StreamRefusal?
    package var tail: LogPoint
    /// Header checksum of the frame that ends at `tail`.
    package var tailChecksum: UInt32
    /// Where the follower's log begins.
    package var first: Position
    package var committed: LogPoint
    package var persisted: LogPoint
    /// At most ``WireLimits/termStartsMax``, ascending.
    package var terms: [TermStart]

    package init(
        term: Term, follower: Member, refusal: StreamRefusal? = nil, tail: LogPoint, tailChecksum: UInt32,
        first: Position, committed: LogPoint, persisted: LogPoint, terms: [TermStart]
    ) {
        self.term = term
        self.follower = follower
        self.refusal = refusal
        self.tail = tail
        self.tailChecksum = tailChecksum
        self.first = first
        self.committed = committed
        self.persisted = persisted
        self.terms = terms
    }

    package init(reading reader: inout WireReader, version: UInt16) throws(WireError) {
        try reader.version(version)
        self.term = try reader.term()
        self.follower = try reader.member()
        self.refusal = try StreamRefusal.read(&reader)
        self.tail = try reader.point()
        self.tailChecksum = try reader.integer()
        self.first = try reader.position()
        self.committed = try reader.point()
        self.persisted = try reader.point()
        self.terms = try reader.termStarts()
    }

    package func encode(into bytes: inout [UInt8], version: UInt16) {
        bytes.put(version)
        bytes.put(self.term)
        bytes.put(self.follower)
        StreamRefusal.encode(self.refusal, into: &bytes)
        bytes.put(self.tail)
        bytes.put(self.tailChecksum)
        bytes.put(self.first)
        bytes.put(self.committed)
        bytes.put(self.persisted)
        bytes.put(self.terms)
    }
}
