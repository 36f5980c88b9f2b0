import LogModel
import LogState
import SegmentFormat
import WireFormat

/// When blank nodes may become a cluster: only after every configured member answered that it is blank, or
/// after one answered with founders, or with members, that name this very incarnation.
package enum Forming: Hashable, Sendable {
    /// Ask again; `missing` have not answered.
    case wait(missing: [NodeID])
    /// Ask again: a cluster that is there already has to add this node.
    case waitToBeAdded
    /// - `generation`: Of the cluster that is there; `nil` when there is none yet.
    case form(FoundingLog, generation: UInt32?)
    /// This node is a member, and the founders' log was trimmed: it begins with this node's first segment.
    case copy(from: NodeID, cluster: ClusterID, generation: UInt32)
    /// The others are a cluster that knows another incarnation of this node, which has to be replaced.
    case refused(by: NodeID)

    /// - Parameters:
    ///   - isJoining: A node that is to be added to a cluster never forms one.
    ///   - own: This blank node.
    ///   - configured: All members, this one included.
    ///   - answers: What the other members said of themselves.
    package static func decide(
        isJoining: Bool = false, own: Member, configured: [NodeID], answers: [NodeID: PeerIdentity]
    ) -> Forming {
        // A node that lost its whole log is not blank, and knows no cluster any more: it has not answered yet.
        let answers = answers.filter { !$0.value.isEmptied }
        // Nodes of an earlier generation are not of the cluster any more.
        let newest = answers.values.filter { !$0.isBlank }.map(\.generation).max()
        let clusters = answers.filter { !$0.value.isBlank && $0.value.generation == newest }.sorted { $0.key < $1.key }
        // A member that was added begins with the founders' log, too: the stream brings the rest, itself included.
        if let named = clusters.first(where: { ($0.value.founders + $0.value.members).contains(own) })?.value,
            !named.founders.isEmpty
        {
            return .form(FoundingLog(members: named.founders), generation: named.generation)
        }
        if let (node, named) = clusters.first(where: { $0.value.members.contains(own) }), let cluster = named.cluster {
            return .copy(from: node, cluster: cluster, generation: named.generation)
        }
        if let (node, answer) = clusters.first {
            let isKnown = (answer.members.isEmpty ? answer.founders : answer.members).contains { $0.node == own.node }
            return isKnown ? .refused(by: node) : .waitToBeAdded
        }
        guard !isJoining else { return .waitToBeAdded }
        let missing = configured.filter { $0 != own.node && answers[$0] == nil }
        guard missing.isEmpty else { return .wait(missing: missing) }
        let others = configured.filter { $0 != own.node }.compactMap { node in
            answers[node].map { Member(node: node, incarnation: $0.incarnation) }
        }
        return .form(FoundingLog(members: [own] + others), generation: nil)
    }
}

/// The first bytes of a cluster's log: the same on every founding member, whoever writes them.
package struct FoundingLog: Hashable, Sendable {
    package let members: [Member]

    package init(members: [Member]) {
        self.members = members.sorted()
    }

    /// Mixed from the founders, whose incarnations were drawn at random.
    package var cluster: ClusterID {
        var words: [UInt64] = []
        for seed: UInt64 in [0x486f_6c64_6661_7374, 0x6361_6e6f_6e69_6361] {
            var hash = seed
            for member in self.members {
                for word in [UInt64(member.node.rawValue), member.incarnation.rawValue] {
                    hash = Self.mixed(hash ^ word)
                }
            }
            words.append(hash)
        }
        return ClusterID(high: words[0], low: words[1])
    }

    /// Segment 0's header and its checkpoint: term 0, timestamp 0, node 0.
    package var bytes: [UInt8] {
        let state = LogState(founding: Membership(voters: self.members))
        return FrameChain.foundingBytes(cluster: self.cluster, checkpoint: state.encoded())
    }

    /// The finalizer of SplitMix64: every input bit reaches every output bit.
    private static func mixed(_ value: UInt64) -> UInt64 {
        var z = value &+ 0x9e37_79b9_7f4a_7c15
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}

extension PeerIdentity {
    /// Neither blank nor in a cluster: all of its log was damaged.
    fileprivate var isEmptied: Bool {
        !self.isBlank && self.cluster == nil && self.founders.isEmpty && self.members.isEmpty
    }
}
