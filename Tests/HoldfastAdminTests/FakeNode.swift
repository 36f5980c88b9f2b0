import HTTPTypes
import HoldfastClient
import LogModel
import Synchronization

@testable import HoldfastAdmin

/// A node that says what the test wants.
final class FakeNode: AdminNode {
    struct State {
        var status: NodeStatus
        var events: [EventDocument] = []
        var peers: [UInt32: Result<NodeStatus, PeerSilence>] = [:]
        var hanging: Set<NodePart> = []
        var reachCounts: [NodePart: Int] = [:]
        var confirmed: Result<UInt64, PeerSilence>? = .success(1)
        var isLevel = true
        var proofCount = 0
        /// Questions to peers that have no answer yet, and the most that there were.
        var askingCount = 0
        var askingMost = 0
        var refusals: [String] = []
    }

    private let state: Mutex<State>
    let number: UInt32 = 1

    init() { self.state = Mutex(State(status: Self.status(of: 1))) }

    static func status(of node: UInt32, role: String = "follower", term: UInt64 = 3) -> NodeStatus {
        var cluster = ClusterStatus(
            node: node, role: role, term: term, leader: 2, cluster: "c", incarnation: "a", firstIndex: 1, lastIndex: 7,
            commit: "0:64", tail: "0:64", isReady: true, nodes: [])
        cluster.health = ClusterStatus.Health(
            mayVote: true, damagedSegments: [], damageFound: 0, segmentsRepaired: 0, scrubbedBytes: 0, scrubPasses: 0)
        return NodeStatus(
            node: node, time: "2026-11-28T01:00:00.000000000Z", started: "2026-11-28T00:00:00.000000000Z",
            listeners: .init(client: "127.0.0.1:7400", peer: "127.0.0.1:7401", admin: "127.0.0.1:7402"),
            policy: "always", isDraining: false, cluster: cluster, repairing: nil,
            disk: .init(
                logBytes: 64, segments: 1, freeBytes: 1 << 30, totalBytes: 1 << 31, spaceAgeSeconds: 0.5, isFull: false),
            totals: NodeTotals(), recent: RecentActivity(), lastEvent: 0)
    }

    func change(_ body: (inout State) -> Void) { self.state.withLock { body(&$0) } }

    func happened(_ text: String, kind: String = "role") {
        self.change { state in
            let number = UInt64(state.events.count + 1)
            state.events.append(
                EventDocument(node: 1, number: number, time: "2026-11-28T01:00:00.000000000Z", kind: kind, text: text))
        }
    }

    var askingMost: Int { self.state.withLock { $0.askingMost } }
    func reachCount(_ part: NodePart) -> Int { self.state.withLock { $0.reachCounts[part] ?? 0 } }
    var refusals: [String] { self.state.withLock { $0.refusals } }
    var proofCount: Int { self.state.withLock { $0.proofCount } }

    // MARK: AdminNode

    func status(eventsAfter: UInt64?) async -> NodeStatus {
        self.state.withLock { state in
            var status = state.status
            status.lastEvent = UInt64(state.events.count)
            status.events = eventsAfter.map { after in state.events.filter { $0.number > after } }
            return status
        }
    }

    func metrics() async -> NodeMetrics {
        var syncs = LatencyHistogram()
        syncs.note(nanoseconds: 300_000)
        syncs.note(nanoseconds: 2_000_000)
        var metrics = NodeMetrics(status: await self.status(eventsAfter: nil))
        metrics.times.syncs = syncs
        metrics.process.residentBytes = 1 << 20
        metrics.process.openDescriptors = 12
        return metrics
    }

    func segments() async -> [SegmentDocument] {
        [SegmentDocument(segment: 0, firstIndex: 1, records: 7, bytes: 64, state: "active", terms: [0, 3])]
    }

    func events(after number: UInt64) -> [EventDocument] {
        self.state.withLock { state in state.events.filter { $0.number > number } }
    }

    var lastEvent: UInt64 { self.state.withLock { UInt64($0.events.count) } }

    var others: [AdminPeer] {
        self.state.withLock { $0.peers.keys.sorted() }.map { AdminPeer(number: $0, client: "127.0.0.1:\($0)") }
    }

    func status(of peer: AdminPeer, eventsAfter: UInt64?) async throws(PeerSilence) -> NodeStatus {
        self.change { state in
            state.askingCount += 1
            state.askingMost = max(state.askingMost, state.askingCount)
        }
        defer { self.change { $0.askingCount -= 1 } }
        await Task.yield()
        let answer = self.state.withLock { $0.peers[peer.number] }
        guard let answer else { throw PeerSilence("no such node") }
        return try answer.get()
    }

    func reach(_ part: NodePart) async {
        self.change { $0.reachCounts[part, default: 0] += 1 }
        while self.state.withLock({ $0.hanging.contains(part) }), !Task.isCancelled { await Task.yield() }
    }

    func confirmedNextIndex() async throws(PeerSilence) -> LogIndex {
        let result = self.state.withLock { state in
            state.proofCount += 1
            return state.confirmed
        }
        guard let result else {
            // Nobody answers: as long as anybody may wait.
            try? await Task.sleep(for: .seconds(60))
            throw PeerSilence("cancelled")
        }
        return LogIndex(try result.get())
    }

    func isLevel(with index: LogIndex, withinMilliseconds: UInt64) async -> Bool { self.state.withLock { $0.isLevel } }

    func refused(_ problem: ProblemDocument, of head: HTTPRequest) { self.change { $0.refusals.append(problem.code) } }

    var isDraining: Bool { self.state.withLock { $0.status.isDraining } }
}
