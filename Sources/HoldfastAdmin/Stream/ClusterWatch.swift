import HoldfastClient
import LogModel
import NIOCore

/// Sees the whole cluster from this node: asks all others at once, remembers what the silent ones said last, and gathers
/// everybody's events in the order in which they are heard of.
///
/// Bounded: one status per member, and the newest ``AdminLimits/eventsMax`` events.
actor ClusterWatch {
    /// An event of some node, and its place in this node's stream.
    struct Heard: Sendable {
        var place: UInt64
        var event: EventDocument
    }

    private struct Known {
        var status: NodeStatus
        var at: NIODeadline
    }

    private struct Answer: Sendable {
        var peer: AdminPeer
        var result: Result<NodeStatus, PeerSilence>
        var at: NIODeadline
    }

    private let node: any AdminNode
    private var known: [UInt32: Known] = [:]
    /// How far each node's events are gathered: of which process, and up to which number.
    private var gathered: [UInt32: (started: String, number: UInt64)] = [:]
    private var heard: [Heard] = []
    private var lastPlace: UInt64 = 0
    private var underWay: Task<ClusterView, Never>?
    /// A look that waits for its turn.
    private var next: Task<ClusterView, Never>?

    init(node: any AdminNode) {
        self.node = node
    }

    /// Asks everybody now, or once the look that is under way is through: together with all who want one meanwhile, so that
    /// a node asks a peer one thing at a time, however many ask the node.
    func look() async -> ClusterView {
        if let next { return await next.value }
        let look = Task { [underWay] in
            _ = await underWay?.value
            // Whoever comes from now on wants to know what happens meanwhile.
            self.underWay = self.next
            self.next = nil
            return await self.ask()
        }
        self.next = look
        return await look.value
    }

    private func ask() async -> ClusterView {
        let others = self.node.others
        let own = await self.node.status(eventsAfter: self.eventsKnown(of: self.node.number))
        self.learn(
            Answer(peer: AdminPeer(number: own.node, client: own.listeners.client), result: .success(own), at: .now()))
        let known = Dictionary(uniqueKeysWithValues: others.map { ($0.number, self.eventsKnown(of: $0.number)) })
        let answers = await Self.ask(others, self.node, known)
        for answer in answers { self.learn(answer) }
        let members = Set(others.map(\.number) + [self.node.number])
        self.known = self.known.filter { members.contains($0.key) }
        self.gathered = self.gathered.filter { members.contains($0.key) }
        return self.view(own, answers)
    }

    /// Events behind `place`, as they were heard of.
    func events(after place: UInt64) -> [Heard] {
        let first = self.heard.partitioningIndex { $0.place > place }
        return Array(self.heard[first...])
    }

    var newestPlace: UInt64 { self.lastPlace }

    private func eventsKnown(of number: UInt32) -> UInt64 { self.gathered[number]?.number ?? 0 }

    private static func ask(
        _ others: [AdminPeer], _ node: any AdminNode, _ known: [UInt32: UInt64]
    ) async -> [Answer] {
        await withTaskGroup(of: Answer.self) { group in
            for peer in others {
                group.addTask {
                    let result = await within(milliseconds: AdminLimits.peerMilliseconds) {
                        () -> Result<NodeStatus, PeerSilence> in
                        do throws(PeerSilence) {
                            return .success(try await node.status(of: peer, eventsAfter: known[peer.number]))
                        } catch {
                            return .failure(error)
                        }
                    }
                    let late = PeerSilence("no answer within \(AdminLimits.peerMilliseconds) ms")
                    return Answer(peer: peer, result: result ?? .failure(late), at: .now())
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
    }

    private func learn(_ answer: Answer) {
        guard case .success(var status) = answer.result else { return }
        let events = status.events ?? []
        status.events = nil
        self.known[answer.peer.number] = Known(status: status, at: answer.at)
        let before = self.gathered[answer.peer.number]
        // Another process counts from 1 again: all of its events are new, and are asked for next time.
        if let before, before.started != status.started {
            return self.gathered[answer.peer.number] = (status.started, 0)
        }
        for event in events where event.number > before?.number ?? 0 { self.hear(event) }
        let newest = max(events.last?.number ?? 0, before?.number ?? 0)
        self.gathered[answer.peer.number] = (status.started, newest)
    }

    private func hear(_ event: EventDocument) {
        self.lastPlace += 1
        self.heard.append(Heard(place: self.lastPlace, event: event))
        if self.heard.count > AdminLimits.eventsMax { self.heard.removeFirst() }
    }

    private func view(_ own: NodeStatus, _ answers: [Answer]) -> ClusterView {
        let now = NIODeadline.now()
        var nodes = answers.map { answer in
            var reason: String?
            if case .failure(let silence) = answer.result { reason = silence.reason }
            return self.node(answer.peer, reason: reason, now: now)
        }
        nodes.append(self.node(AdminPeer(number: own.node, client: own.listeners.client), reason: nil, now: now))
        let heard = nodes.filter(\.isReachable).compactMap(\.status?.cluster)
        let term = heard.map(\.term).max() ?? own.cluster.term
        // A leader that is cut off says so of itself, too; whoever knows a newer term knows better.
        let leader = heard.filter { $0.term == term }.compactMap(\.leader).first
        return ClusterView(
            node: own.node, time: own.time, leader: leader, term: term, nodes: nodes.sorted { $0.node < $1.node })
    }

    private func node(_ peer: AdminPeer, reason: String?, now: NIODeadline) -> ClusterView.Node {
        let known = self.known[peer.number]
        return ClusterView.Node(
            node: peer.number, client: peer.client, isReachable: reason == nil, reason: reason,
            ageSeconds: known.map { Double((now - $0.at).nanoseconds / 1_000_000) / 1_000 }, status: known?.status)
    }
}

extension Array {
    /// The first place whose element, and all behind it, satisfy `isBehind`.
    fileprivate func partitioningIndex(where isBehind: (Element) -> Bool) -> Int {
        var low = 0
        var high = self.count
        while low < high {
            let middle = (low + high) / 2
            if isBehind(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
