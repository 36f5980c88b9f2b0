import LogModel
import RaftCore
import ReplicaCore
import WireFormat

/// Messages between nodes; every one is encoded and decoded on its way.
extension World {
    // MARK: Votes and heartbeats: may be lost, doubled, overtaken

    func send(_ message: RaftMessage, from sender: SimulatedNode, to number: Int) {
        guard let start = sender.start else { return }
        self.deliver(.received(Self.travelled(message), from: start), from: sender, to: self.nodes[number])
    }

    /// The first thing on a connection.
    func greet(_ receiver: SimulatedNode, from sender: SimulatedNode) {
        guard let start = sender.start, case .greeting = Self.travelled(.greeting) else { return }
        self.deliver(.met(start), from: sender, to: receiver)
    }

    func refuse(_ receiver: SimulatedNode, _ refusal: PeerRefusal, from sender: SimulatedNode) {
        guard case .refusal(let copy) = Self.travelled(.refusal(refusal)) else { return }
        self.deliver(.refused(copy, by: sender.member.node), from: sender, to: receiver)
    }

    private func deliver(_ event: ReplicaEvent, from sender: SimulatedNode, to receiver: SimulatedNode) {
        guard receiver.isRunning, self.network.reaches(sender.number, receiver.number),
            self.network.isConnected(sender.number, receiver.number)
                || self.network.isConnected(receiver.number, sender.number)
        else { return }
        let suffers = self.configuration.faults.contains(.messages) && !self.isHealing
        if suffers, self.chance(3, of: 100) { return }
        let copies = suffers && self.chance(2, of: 100) ? 2 : 1
        for _ in 0..<copies {
            let delay =
                suffers && self.chance(5, of: 100) ? self.microseconds(5_000..<300_000) : self.microseconds(50..<2_000)
            self.schedule(.deliver(event, node: receiver.number, life: receiver.life), after: delay)
        }
    }

    private static func travelled(_ message: RaftMessage) -> RaftMessage {
        let sent: PeerMessage =
            switch message {
            case .voteRequest(let body): .voteRequest(body)
            case .voteReply(let body): .voteReply(body)
            case .heartbeat(let body): .heartbeat(body)
            case .heartbeatReply(let body): .heartbeatReply(body)
            case .transferRequest(let body): .transferRequest(body)
            case .readRequest(let body): .readIndexRequest(body)
            case .readReply(let body): .readIndexReply(body)
            }
        switch Self.travelled(sent) {
        case .voteRequest(let body): return .voteRequest(body)
        case .voteReply(let body): return .voteReply(body)
        case .heartbeat(let body): return .heartbeat(body)
        case .heartbeatReply(let body): return .heartbeatReply(body)
        case .transferRequest(let body): return .transferRequest(body)
        case .readIndexRequest(let body): return .readRequest(body)
        case .readIndexReply(let body): return .readReply(body)
        case let other: preconditionFailure("\(message) came back as \(other)")
        }
    }

    static func travelled(_ message: PeerMessage) -> PeerMessage {
        var parser = MessageParser(version: WireLimits.versionMax)
        parser.append(message.encoded(version: WireLimits.versionMax)[...])
        do {
            guard let copy = try parser.next() else { preconditionFailure("\(message) does not come back") }
            return copy
        } catch { preconditionFailure("\(message) does not come back: \(error)") }
    }

    // MARK: Streams: in order, or broken

    func openStream(_ id: StreamID, from leader: SimulatedNode, to number: Int, _ hello: ReplicateHello) {
        let follower = self.nodes[number]
        guard follower.isRunning, self.network.isConnected(leader.number, number) else {
            let event = ReplicaEvent.streamClosed(id, to: follower.member.node)
            return self.schedule(
                .deliver(event, node: leader.number, life: leader.life), after: self.microseconds(50..<500))
        }
        let upstream = self.network.open(id, from: leader, to: follower)
        guard case .hello(let copy) = Self.travelled(.hello(hello)), let start = leader.start else { return }
        self.deliverDown(.greeted(copy, from: start, on: upstream), id: id, from: leader)
    }

    func ship(_ range: RangeMessage, on id: StreamID, from leader: SimulatedNode) {
        guard let index = self.network.index(id, leader: leader), case .range(let copy) = Self.travelled(.range(range))
        else { return }
        let upstream = self.network.streams[index].upstream
        self.deliverDown(.shipped(copy, raw: copy.body, on: upstream), id: id, from: leader)
    }

    func deliverDown(_ event: ReplicaEvent, id: StreamID, from leader: SimulatedNode) {
        guard let index = self.network.index(id, leader: leader) else { return }
        let stream = self.network.streams[index]
        guard !stream.isBroken, self.network.reaches(stream.leader, stream.follower) else {
            return self.network.update(index) { $0.isBroken = true }
        }
        let arrival = max(stream.lastArrivalDown + 1, self.nanoseconds + self.microseconds(50..<1_500))
        self.network.update(index) { $0.lastArrivalDown = arrival }
        self.queue.schedule(.deliver(event, node: stream.follower, life: stream.followerLife), at: arrival)
    }

    func answer(_ message: PeerMessage, on upstream: StreamID, from follower: SimulatedNode) {
        guard let index = self.network.index(upstream: upstream, follower: follower), let start = follower.start else {
            return
        }
        let stream = self.network.streams[index]
        guard !stream.isBroken, self.network.reaches(stream.follower, stream.leader) else {
            return self.network.update(index) { $0.isBroken = true }
        }
        let event: ReplicaEvent
        switch Self.travelled(message) {
        case .welcome(let welcome): event = .welcomed(welcome, from: start, on: stream.id, by: follower.member.node)
        case .ack(let ack): event = .acknowledged(ack, on: stream.id, by: follower.member.node)
        default: preconditionFailure("a follower answers with \(message)")
        }
        let arrival = max(stream.lastArrivalUp + 1, self.nanoseconds + self.microseconds(50..<1_500))
        self.network.update(index) { $0.lastArrivalUp = arrival }
        self.queue.schedule(.deliver(event, node: stream.leader, life: stream.leaderLife), at: arrival)
    }

    func closeUpstream(_ upstream: StreamID, from follower: SimulatedNode) {
        guard let index = self.network.index(upstream: upstream, follower: follower) else { return }
        let stream = self.network.remove(at: index)
        let arrival = max(stream.lastArrivalUp + 1, self.nanoseconds + self.microseconds(50..<1_500))
        let event = ReplicaEvent.streamClosed(stream.id, to: follower.member.node)
        self.queue.schedule(.deliver(event, node: stream.leader, life: stream.leaderLife), at: arrival)
    }

    // MARK: Connections

    /// Everyone tries again and again to reach everyone.
    func reconnect() {
        self.schedule(.reconnect, after: self.microseconds(5_000..<40_000))
        for from in self.nodes where from.isRunning {
            for to in self.nodes where to.number != from.number && to.isRunning {
                guard !self.network.isConnected(from.number, to.number), self.network.reaches(from.number, to.number),
                    self.network.reaches(to.number, from.number)
                else { continue }
                self.network.connect(from.number, to.number)
                self.tell(from, .connected(to: to.member.node), of: to.number, after: self.microseconds(50..<500))
            }
        }
    }

    /// The connection that `from` made to `to` resets, and `from` notices.
    func reset(from: Int, to: Int) {
        guard self.network.isConnected(from, to) else { return }
        self.network.disconnect(from, to)
        let node = self.nodes[from]
        guard node.isRunning else { return }
        self.tell(node, .disconnected(from: self.nodes[to].member.node), of: to, after: self.microseconds(20..<200))
    }

    /// What becomes of one connection a node hears in the order in which it happened.
    func tell(_ node: SimulatedNode, _ event: ReplicaEvent, of peer: Int, after nanoseconds: UInt64) {
        let time = self.network.noticeTime(node.number, peer, notBefore: self.nanoseconds + nanoseconds)
        self.queue.schedule(.deliver(event, node: node.number, life: node.life), at: time)
    }
}
