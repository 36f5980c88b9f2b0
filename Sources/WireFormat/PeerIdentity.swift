import LogModel

/// The answer of `GET /peer/v1/identity`: who is there, and whether it may take part in forming a cluster.
///
/// Nodes read it before they have agreed on a version of the protocol: its layout is the same in all of them.
package struct PeerIdentity: WireMessage {
    private static let layout: UInt16 = 1

    /// `nil` for a blank node.
    package var cluster: ClusterID?
    package var node: NodeID
    package var incarnation: Incarnation
    package var generation: UInt32
    package var starts: UInt64
    package var isBlank: Bool
    /// Its promises do not count any more: another incarnation has to take its place.
    package var isRetired: Bool
    /// The members that the log's first frame names; empty when there is none. At most ``WireLimits/foundersMax``.
    package var founders: [Member]
    /// Whom the newest membership in the log names. At most ``WireLimits/membersMax``.
    package var members: [Member]

    package init(
        cluster: ClusterID?, node: NodeID, incarnation: Incarnation, generation: UInt32, starts: UInt64, isBlank: Bool,
        isRetired: Bool = false, founders: [Member], members: [Member] = []
    ) {
        self.cluster = cluster
        self.node = node
        self.incarnation = incarnation
        self.generation = generation
        self.starts = starts
        self.isBlank = isBlank
        self.isRetired = isRetired
        self.founders = founders
        self.members = members
    }

    package init(reading reader: inout WireReader) throws(WireError) {
        let layout: UInt16 = try reader.integer()
        guard layout == Self.layout else { throw .unsupportedVersion(layout) }
        self.cluster = try reader.bool() ? try reader.cluster() : nil
        let member = try reader.member()
        self.node = member.node
        self.incarnation = member.incarnation
        self.generation = try reader.integer()
        self.starts = try reader.integer()
        self.isBlank = try reader.bool()
        self.isRetired = try reader.bool()
        self.founders = try Self.members(&reader, countMax: WireLimits.foundersMax)
        self.members = try Self.members(&reader, countMax: WireLimits.membersMax)
    }

    private static func members(_ reader: inout WireReader, countMax: Int) throws(WireError) -> [Member] {
        let count = Int(try reader.integer(UInt8.self))
        guard count <= countMax else { throw .badValue(.founders) }
        var members: [Member] = []
        for _ in 0..<count { members.append(try reader.member()) }
        return members
    }

    package func encode(into bytes: inout [UInt8]) {
        precondition(self.founders.count <= WireLimits.foundersMax, "too many founders for a message")
        precondition(self.members.count <= WireLimits.membersMax, "too many members for a message")
        bytes.put(Self.layout)
        bytes.put(self.cluster != nil)
        if let cluster = self.cluster { bytes.put(cluster) }
        bytes.put(Member(node: self.node, incarnation: self.incarnation))
        bytes.put(self.generation)
        bytes.put(self.starts)
        bytes.put(self.isBlank)
        bytes.put(self.isRetired)
        for part in [self.founders, self.members] {
            bytes.append(UInt8(part.count))
            for member in part { bytes.put(member) }
        }
    }
}
