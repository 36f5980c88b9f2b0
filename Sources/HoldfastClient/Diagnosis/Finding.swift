/// One thing that was seen, or that follows from it.
package struct Finding: Encodable, Hashable, Sendable {
    /// Stable: programs may rely on these. What each means stands in Explanations.md of HoldfastNode.
    package enum Code: String, Encodable, CaseIterable, Sendable {
        case well
        case leader
        case leaderUnproven = "leader_unproven"
        case noLeader = "no_leader"
        case notFormed = "not_formed"
        case vote
        case quorum
        case quorumMissing = "quorum_missing"
        case nodeUnreachable = "node_unreachable"
        case tokenNeeded = "token_needed"
        case tlsRequired = "tls_required"
        case untrusted
        case wrongPort = "wrong_port"
        case nodeHangs = "node_hangs"
        case nodeBlank = "node_blank"
        case nodeRetired = "node_retired"
        case mayNotVote = "may_not_vote"
        case damaged
        case diskFull = "disk_full"
        case notConnected = "not_connected"
        case otherProtocol = "other_protocol"
        case laterFormat = "later_format"
        case membersChanging = "members_changing"
        case level
        case behind
        case fetching
        case slowDisk = "slow_disk"
        case committed
        case uncommitted
        case notAppended = "not_appended"
        case trimmed
        case holds
        case lacks
        case trimHeld = "trim_held"
        case trimFree = "trim_free"
        case unknown
    }

    package var code: Code
    /// The node that it is about.
    package var node: UInt32?
    /// Whether it is not as it should be.
    package var trouble: Bool
    package var text: String
    /// What to do about it: words, or a command that begins with `holdfast`.
    package var next: String?

    static func fact(_ code: Code, _ node: UInt32? = nil, _ text: String) -> Finding {
        Finding(code: code, node: node, trouble: false, text: text)
    }

    static func trouble(_ code: Code, _ node: UInt32? = nil, _ text: String, next: String? = nil) -> Finding {
        Finding(code: code, node: node, trouble: true, text: text, next: next)
    }
}
