import HTTP2Transport

/// All nodes of a cluster as one client saw them at one moment.
package struct ClusterSight: Sendable {
    /// Why a node did not say how it is.
    package enum Silence: Hashable, Sendable {
        /// Nobody listens there, or nothing gets there; `reason` is the system's.
        case unreachable(reason: String)
        /// A connection stands, and nothing comes.
        case hangs
        /// It answers, and does not let this client in: `code` is that of its problem document.
        case denied(code: String, detail: String)
        /// One side does not take the other's certificate, or not both speak TLS.
        case untrusted(TLSRefusal)
        /// It is another port of a node than that for clients; `what` says which.
        case noClientPort(String)
        /// What came is no status.
        case unintelligible
    }

    package struct Node: Hashable, Sendable {
        /// `nil` while nobody has said which node listens there.
        package var number: UInt32?
        /// `host:port` for clients.
        package var client: String
        package var status: ClusterStatus?
        package var silence: Silence?
        /// What it counts for, as the best informed node has it.
        package var standing: ClusterStatus.Standing?
        /// The version of the peer protocol that it speaks, when the best informed node does not.
        package var otherProtocol: UInt16?

        package init(
            number: UInt32?, client: String, status: ClusterStatus? = nil, silence: Silence? = nil,
            standing: ClusterStatus.Standing? = nil, otherProtocol: UInt16? = nil
        ) {
            self.number = number
            self.client = client
            self.status = status
            self.silence = silence
            self.standing = standing
            self.otherProtocol = otherProtocol
        }

        /// `n3`, or an address.
        var name: String { self.number.map { "n\($0)" } ?? self.client }
        /// `n3 at 127.0.0.1:7420`, or `the node at ADDRESS`.
        var place: String { "\(self.number.map { "n\($0)" } ?? "the node") at \(self.client)" }
        /// Its directory is empty: it belongs to no cluster yet.
        var isBlank: Bool { self.status?.role == "forming" }
        /// Its vote can be given now.
        var canVote: Bool {
            guard let status else { return false }
            return !self.isBlank && self.otherProtocol == nil && status.retired == nil && status.health?.mayVote ?? true
        }
    }

    /// In order.
    package let nodes: [Node]
    /// What the leader of the highest term says; a deposed one may not know yet.
    package let leader: ClusterStatus?
    /// The best informed node: the leader, or else one with the newest term; `nil` when nobody answered.
    let witness: UInt32?

    /// - Parameters:
    ///   - answers: By the address that was asked.
    ///   - asked: All that were asked, also those that nobody has named yet.
    package init(answers: [String: ClusterStatus], silences: [String: Silence], asked: [String]) {
        self.leader = answers.values.filter { $0.role == "leader" }.max { $0.term < $1.term }
        // Without a leader, the one with the newest term knows most; a blank one knows nothing.
        let best =
            self.leader
            ?? answers.values.max { ($0.cluster == nil ? 0 : 1, $0.term) < ($1.cluster == nil ? 0 : 1, $1.term) }
        self.witness = best?.node
        guard let best else {
            self.nodes = asked.map { Node(number: nil, client: $0, silence: silences[$0]) }
            return
        }
        let members = best.nodes.map { node in
            let answer = answers[node.client] ?? answers.values.first { $0.node == node.node }
            // Somebody else may listen where this node should.
            let status = answer.flatMap { $0.node == node.node && $0.isOf(best.cluster) ? $0 : nil }
            return Node(
                number: node.node, client: node.client, status: status,
                silence: answer == nil ? silences[node.client] : status == nil ? .unintelligible : nil,
                standing: node.membership, otherProtocol: status.flatMap { _ in node.otherProtocol })
        }
        self.nodes = members + Self.outcasts(among: answers, besides: best)
    }

    /// Nodes that were asked and count for nothing any more, so that no member names them: the cluster was recovered
    /// without them, say.
    private static func outcasts(among answers: [String: ClusterStatus], besides best: ClusterStatus) -> [Node] {
        let known = Set(best.nodes.map(\.node))
        return answers.sorted { ($0.value.node, $0.key) < ($1.value.node, $1.key) }.filter { _, status in
            status.retired != nil && status.isOf(best.cluster) && !known.contains(status.node)
        }.map { Node(number: $1.node, client: $0, status: $1) }
    }

    package var isAnybodyThere: Bool { self.nodes.contains { $0.status != nil } }
    var hasFormed: Bool { self.nodes.contains { $0.status?.cluster != nil } }

    package func node(_ number: UInt32) -> Node? { self.nodes.first { $0.number == number } }

    /// What the leader says of a node.
    func progress(of number: UInt32?) -> ClusterStatus.Node? { self.leader?.nodes.first { $0.node == number } }

    /// Majorities that an election or a commit needs: one, or two while voters change.
    var electorates: [[Node]] {
        let now = self.nodes.filter { $0.standing == .voter || $0.standing == .joining }
        let before = self.nodes.filter { $0.standing == .voter || $0.standing == .leaving }
        return now == before ? [now] : [before, now]
    }
}

extension ClusterStatus {
    /// Blank nodes are of any cluster.
    fileprivate func isOf(_ cluster: String?) -> Bool {
        self.cluster == nil || cluster == nil || self.cluster == cluster
    }
}
