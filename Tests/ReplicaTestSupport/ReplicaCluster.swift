import LogModel
import LogState
import RaftCore
import ReplicaCore
import SegmentFormat
import WireFormat

/// Replicas wired to each other in memory: every disk job succeeds at once, every message arrives at once,
/// unless a node is cut off. Time stands still unless moved.
package final class ReplicaCluster {
    package final class Node {
        package let member: Member
        package var core: ReplicaCore
        package var isCut = false
        package var truncations: [LogPoint] = []
        package var largestWriteByteCount = 0
        package var trims: [Position] = []
        package var fetches: [(segment: SegmentID, from: NodeID)] = []
        package var droppedFetchCount = 0
        package var begunAnew: SegmentID?
        package var copyFetches: [(segment: SegmentID, peer: NodeID)] = []
        package var installs: [SegmentID] = []
        package var notes: [ReplicaNote] = []
        /// What becomes of ranges on their way to it.
        package var arrival: ((RangeMessage) -> RangeMessage)?
        /// What its disk keeps of starts and of its own retirement.
        package var sightings: [StartSighting] = []
        package var retirement: Retirement?
        init(member: Member, core: consuming ReplicaCore) {
            self.member = member
            self.core = core
        }
    }

    package private(set) var nodes: [Node] = []
    package private(set) var answers: [UInt64: Result<AppendOutcome, AppendFailure>] = [:]
    package private(set) var changes: [UInt64: Result<Membership, MembershipFailure>] = [:]
    package private(set) var transfers: [UInt64: Result<NodeID, TransferFailure>] = [:]
    package private(set) var trims: [UInt64: Result<TrimOutcome, TrimFailure>] = [:]
    package private(set) var readsReady: Set<UInt64> = []
    private var milliseconds: UInt64 = 1_000
    private var queue: [(node: Int, event: ReplicaEvent)] = []
    private var streams: [(leader: Int, id: StreamID, follower: Int, upstream: StreamID)] = []

    package init(count: Int, segmentByteCountMax: Int = 1 << 20, retired: [Int: Retirement] = [:]) throws {
        let members = (1...count).map { Member(node: NodeID(UInt32($0)), incarnation: Incarnation(UInt64($0))) }
        let founding = FoundingLog(members: members)
        for member in members {
            var recovery = ReplicaRecovery(start: FrameChain(empty: founding.cluster), commit: .zero)
            try recovery.apply(founding.bytes[...], at: .zero)
            var recovered = try recovery.finish(
                hardState: HardState(term: .zero, vote: nil), right: .held, segments: SegmentTable())
            recovered.retirement = retired[self.nodes.count]
            let configuration = ReplicaConfiguration(
                start: MemberStart(member: member, generation: 1, starts: 1, lives: [Life(1)]),
                cluster: founding.cluster, policy: .always, segmentByteCountMax: segmentByteCountMax,
                raft: RaftConfiguration(member: member), randomSeed: UInt64(member.node.rawValue))
            self.nodes.append(
                Node(
                    member: member, core: ReplicaCore(configuration: configuration, recovered: recovered, now: self.now)
                ))
        }
        for from in 0..<count {
            for to in 0..<count where to != from { self.give(.connected(to: members[to].node), to: from) }
        }
    }

    private var now: ReplicaTime {
        ReplicaTime(
            monotonic: MonotonicTime(nanoseconds: self.milliseconds * 1_000_000),
            wall: Timestamp(nanoseconds: self.milliseconds * 1_000_000))
    }

    package var leader: Int? { self.nodes.firstIndex { $0.core.raft.role == .leader && !$0.isCut } }

    package func give(_ event: ReplicaEvent, to node: Int) {
        self.queue.append((node, event))
        self.settle()
    }

    /// Moves time on, a tick for everyone each 10 ms.
    package func pass(milliseconds: UInt64) {
        for _ in 0..<milliseconds / 10 {
            self.milliseconds += 10
            for node in self.nodes.indices { self.give(.ticked, to: node) }
        }
    }

    package func cut(_ node: Int) {
        self.nodes[node].isCut = true
        self.streams.removeAll { $0.leader == node || $0.follower == node }
        for other in self.nodes.indices where other != node {
            self.give(.disconnected(from: self.nodes[node].member.node), to: other)
            self.give(.disconnected(from: self.nodes[other].member.node), to: node)
        }
    }

    package func mend(_ node: Int) {
        self.nodes[node].isCut = false
        for other in self.nodes.indices where other != node {
            self.give(.connected(to: self.nodes[node].member.node), to: other)
            self.give(.connected(to: self.nodes[other].member.node), to: node)
        }
    }

    package func propose(
        _ text: String, id: UInt64, label: AppendLabel? = nil, if conditions: AppendConditions = .init(), at node: Int
    ) throws {
        let draft = try FrameDraft.records([Record(text)], label: label)
        self.propose(Submission(draft, conditions: conditions), id: id, at: node)
    }

    package func propose(_ submission: Submission, id: UInt64, at node: Int) {
        self.give(.proposed([Proposal(id: id, submission)]), to: node)
    }

    private func settle() {
        while !self.queue.isEmpty {
            let (number, event) = self.queue.removeFirst()
            for action in self.nodes[number].core.step(event, now: self.now) { self.perform(action, number) }
        }
    }

    private func index(_ node: NodeID) -> Int { Int(node.rawValue) - 1 }
    private func reaches(_ a: Int, _ b: Int) -> Bool { !self.nodes[a].isCut && !self.nodes[b].isCut }

    private func perform(_ action: ReplicaAction, _ node: Int) {
        switch action {
        case .disk(.write(let bytes, _, let generation)):
            self.nodes[node].largestWriteByteCount = max(self.nodes[node].largestWriteByteCount, bytes.count)
            let end = self.nodes[node].core.chain.point
            self.queue.append((node, .written(through: end, generation: generation)))
            self.queue.append((node, .persisted(through: end, generation: generation)))
        case .disk(.persistVote(let state)): self.queue.append((node, .votePersisted(state)))
        case .disk(.truncate(let point, _)): self.nodes[node].truncations.append(point)
        case .answer(let id, let result): self.answers[id] = result
        case .transferred(let id, let result): self.transfers[id] = result
        case .membershipAnswered(let id, let result): self.changes[id] = result
        case .send(let message, let member):
            let to = self.index(member.node)
            if self.reaches(node, to) { self.queue.append((to, .received(message, from: self.nodes[node].core.start))) }
        case .greet(let peer):
            let to = self.index(peer)
            if self.reaches(node, to) { self.queue.append((to, .met(self.nodes[node].core.start))) }
        case .refuse(let refusal, let member):
            let to = self.index(member.node)
            if self.reaches(node, to) { self.queue.append((to, .refused(refusal, by: self.nodes[node].member.node))) }
        case .openStream(let id, let peer, let hello):
            let to = self.index(peer)
            guard self.reaches(node, to) else { return }
            let upstream = StreamID(UInt64(node) << 32 | id.rawValue)
            self.streams.append((node, id, to, upstream))
            self.queue.append((to, .greeted(hello, from: self.nodes[node].core.start, on: upstream)))
        case .closeStream(let id, _): self.streams.removeAll { $0.leader == node && $0.id == id }
        case .ship(let range, let id, _):
            guard let stream = self.streams.first(where: { $0.leader == node && $0.id == id }) else { return }
            var arrived = Self.sent(range)
            if let arrival = self.nodes[stream.follower].arrival { arrived = arrival(arrived) }
            self.queue.append((stream.follower, .shipped(arrived, raw: arrived.body, on: stream.upstream)))
        case .welcome(let welcome, let upstream):
            guard let stream = self.stream(upstream, node) else { return }
            let follower = self.nodes[node]
            self.queue.append(
                (
                    stream.leader,
                    .welcomed(welcome, from: follower.core.start, on: stream.id, by: follower.member.node)
                ))
        case .acknowledge(let ack, let upstream):
            guard let stream = self.stream(upstream, node) else { return }
            self.queue.append((stream.leader, .acknowledged(ack, on: stream.id, by: self.nodes[node].member.node)))
        case .closeUpstream(let upstream):
            guard let stream = self.stream(upstream, node) else { return }
            self.streams.removeAll { $0.upstream == upstream && $0.follower == node }
            self.queue.append((stream.leader, .streamClosed(stream.id, to: self.nodes[node].member.node)))
        case .load(let peer, let stream, _, _, _): self.queue.append((node, .loadFailed(to: peer, stream: stream)))
        case .trimmed(let id, let result): self.trims[id] = result
        case .tellTrimmed(let first, let id, _):
            guard let stream = self.streams.first(where: { $0.leader == node && $0.id == id }) else { return }
            self.queue.append((stream.follower, .toldTrimmed(first: first, on: stream.upstream)))
        case .fetch(let segment, let leader): self.nodes[node].fetches.append((segment, leader))
        case .dropFetch: self.nodes[node].droppedFetchCount += 1
        case .beginAnew(let segment): self.nodes[node].begunAnew = segment
        case .disk(.trim(let position)): self.nodes[node].trims.append(position)
        case .fetchCopy(let segment, let peer): self.nodes[node].copyFetches.append((segment, peer))
        case .installCopy(let segment): self.nodes[node].installs.append(segment)
        case .disk(.rememberStarts(let sightings)): self.nodes[node].sightings = sightings
        case .disk(.retire(let retirement)): self.nodes[node].retirement = retirement
        case .note(let note): self.nodes[node].notes.append(note)
        case .readReady(let id, _): self.readsReady.insert(id)
        case .disk(.recordCommit), .disk(.liftBar), .membershipChanged, .committed, .readRefused, .roleChanged:
            break
        }
    }

    /// The range as it arrives: encoded, and decoded again.
    private static func sent(_ range: RangeMessage) -> RangeMessage {
        let version = WireLimits.versionMax
        let bytes = Bytes(PeerMessage.range(range).encoded(version: version)).dropFirst(PeerMessage.prefixByteCount)
        guard case .range(let arrived)? = try? PeerMessage.decode(bytes, version: version) else {
            preconditionFailure("\(range)")
        }
        return arrived
    }

    private func stream(_ upstream: StreamID, _ follower: Int) -> (leader: Int, id: StreamID)? {
        self.streams.first { $0.upstream == upstream && $0.follower == follower }.map { ($0.leader, $0.id) }
    }
}
