import LogModel
import LogState
import SegmentFormat
import WireFormat

/// When blank nodes may become a cluster: only after every configured member answered that it is blank, or
/// after one answered with founders that name this very incarnation.
package enum Forming: Hashable, Sendable {
    /// Ask again; `missing` have not answered.
    case wait(missing: [NodeID])
    case form(FoundingLog)
    /// The others are a cluster that does not know this incarnation.
    case refused(by: NodeID)

    /// - Parameters:
    ///   - own: This blank node.
    ///   - configured: All members, this one included.
    ///   - answers: What the other members said of themselves.
    package static func decide(own: Member, configured: [NodeID], answers: [NodeID: PeerIdentity]) -> Forming {
        for (node, answer) in answers.sorted(by: { $0.key < $1.key }) where !answer.isBlank {
            guard answer.founders.contains(own) else { return .refused(by: node) }
            return .form(FoundingLog(members: answer.founders))
        }
        let missing = configured.filter { $0 != own.node && answers[$0] == nil }
        guard missing.isEmpty else { return .wait(missing: missing) }
        let others = configured.filter { $0 != own.node }.compactMap { node in
            answers[node].map { Member(node: node, incarnation: $0.incarnation) }
        }
        return .form(FoundingLog(members: [own] + others))
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
