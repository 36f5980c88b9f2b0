import LogModel
import SegmentFormat

/// The payload of a membership frame, and a part of every checkpoint, little-endian:
///
///     u8 count | (u32 node, u64 incarnation)...                                voters, ascending
///     u8 count | (u32 node, u64 incarnation)...                                outgoing voters, ascending
///     u8 count | (u32 node, u64 incarnation, u8 flags, u32 replaces)...        learners, ascending
///     u8 count | (u32 node, text, text)...                                     addresses, ascending by node
///     [u32 generation, u32 segment, u32 offset, u64 next index]                when the count has bit 7: a recovery
///
///     flags: bit 0 to be promoted | replaces: 0 for nobody | text: u8 length, UTF-8: a peer's and a client's host:port
///
/// With 31 voters, as many outgoing, 8 learners and an address for each 15,324 bytes at most.
extension Membership {
    package func encoded() -> [UInt8] {
        var bytes: [UInt8] = []
        self.encode(into: &bytes)
        return bytes
    }

    /// - Throws: ``LogStateError``; each node stands once in each part, ascending.
    package init(decoding bytes: Bytes) throws(LogStateError) {
        var reader = StateReader(bytes)
        self = try Membership.read(&reader)
        try reader.finish()
    }

    func encode(into bytes: inout [UInt8]) {
        precondition(self.fits, "a membership of \(self.members.count) members")
        for part in [self.voters, self.outgoing] {
            bytes.append(UInt8(part.count))
            for member in part { bytes.append(member) }
        }
        bytes.append(UInt8(self.learners.count))
        for learner in self.learners {
            bytes.append(learner.member)
            bytes.append(learner.isPromoted ? 1 : 0)
            bytes.append(littleEndian: learner.replaces?.rawValue ?? 0)
        }
        bytes.append(UInt8(self.addresses.count) | (self.recovery == nil ? 0 : Self.recoveryFlag))
        for (node, address) in self.addresses.sorted(by: { $0.key < $1.key }) {
            bytes.append(littleEndian: node.rawValue)
            for text in [address.peer, address.client] {
                bytes.append(UInt8(text.utf8.count))
                bytes.append(contentsOf: text.utf8)
            }
        }
        guard let recovery = self.recovery else { return }
        bytes.append(littleEndian: recovery.generation)
        bytes.append(recovery.position)
        bytes.append(littleEndian: recovery.nextIndex.rawValue)
    }

    private static let recoveryFlag: UInt8 = 0x80

    /// Whether it is within the bounds of a log's state.
    package var fits: Bool {
        self.voters.count <= LogStateLimits.votersMax && self.outgoing.count <= LogStateLimits.votersMax
            && self.learners.count <= LogStateLimits.learnersMax
            && self.addresses.values.allSatisfy {
                $0.peer.utf8.count <= LogStateLimits.addressByteCountMax
                    && $0.client.utf8.count <= LogStateLimits.addressByteCountMax
            }
    }

    static func read(_ reader: inout StateReader) throws(LogStateError) -> Membership {
        let voters = try Self.readVoters(&reader)
        let outgoing = try Self.readVoters(&reader)
        let learners = try Self.readLearners(&reader)
        let count: UInt8 = try reader.integer()
        let addresses = try Self.readAddresses(&reader, count: count & ~Self.recoveryFlag)
        let recovery = count & Self.recoveryFlag == 0 ? nil : try Self.readRecovery(&reader)
        let membership = Membership(
            voters: voters, outgoing: outgoing, learners: learners, addresses: addresses, recovery: recovery)
        guard !learners.contains(where: { membership.isVoter($0.member) }) else { throw .notCanonical(.learners) }
        guard membership.addresses.count == addresses.count else { throw .notCanonical(.addresses) }
        return membership
    }

    private static func readVoters(_ reader: inout StateReader) throws(LogStateError) -> [Member] {
        let count = Int(try reader.integer(UInt8.self))
        guard count <= LogStateLimits.votersMax else { throw .notCanonical(.voters) }
        var voters: [Member] = []
        for _ in 0..<count {
            let voter = try reader.member()
            if let last = voters.last, last.node >= voter.node { throw .notCanonical(.voters) }
            voters.append(voter)
        }
        return voters
    }

    private static func readLearners(_ reader: inout StateReader) throws(LogStateError) -> [Learner] {
        let count = Int(try reader.integer(UInt8.self))
        guard count <= LogStateLimits.learnersMax else { throw .notCanonical(.learners) }
        var learners: [Learner] = []
        for _ in 0..<count {
            let member = try reader.member()
            let flags: UInt8 = try reader.integer()
            let replaces: UInt32 = try reader.integer()
            if let last = learners.last, last.member.node >= member.node { throw .notCanonical(.learners) }
            guard flags <= 1 else { throw .notCanonical(.learners) }
            learners.append(
                Learner(member, isPromoted: flags == 1, replaces: replaces == 0 ? nil : NodeID(replaces)))
        }
        return learners
    }

    private static func readAddresses(
        _ reader: inout StateReader, count: UInt8
    ) throws(LogStateError) -> [NodeID: MemberAddress] {
        var addresses: [NodeID: MemberAddress] = [:]
        var last: NodeID?
        for _ in 0..<count {
            let node = NodeID(try reader.integer())
            if let last, last >= node { throw .notCanonical(.addresses) }
            last = node
            addresses[node] = MemberAddress(
                peer: try reader.text(byteCountMax: LogStateLimits.addressByteCountMax),
                client: try reader.text(byteCountMax: LogStateLimits.addressByteCountMax))
        }
        return addresses
    }

    private static func readRecovery(_ reader: inout StateReader) throws(LogStateError) -> QuorumRecovery {
        let generation: UInt32 = try reader.integer()
        let position = try reader.position()
        return QuorumRecovery(
            generation: generation, position: position, nextIndex: LogIndex(try reader.integer()))
    }
}

extension StateReader {
    fileprivate mutating func member() throws(LogStateError) -> Member {
        let node = NodeID(try self.integer())
        return Member(node: node, incarnation: Incarnation(try self.integer()))
    }
}

extension [UInt8] {
    fileprivate mutating func append(_ member: Member) {
        self.append(littleEndian: member.node.rawValue)
        self.append(littleEndian: member.incarnation.rawValue)
    }
}
