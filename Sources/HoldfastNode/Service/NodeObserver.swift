import DiskIO
import HTTP2Transport
import HTTPTypes
import HoldfastAdmin
import HoldfastClient
import LogModel
import Logging
import NIOCore
import ReplicaCore
import Replicator

/// The running node as its admin listener sees it.
final class NodeObserver: Sendable {
    private let replicator: Replicator
    private let configuration: NodeConfiguration
    private let forwarder: LeaderForwarder
    private let security: SecurityWatch
    private let refusals: RefusalCounts
    private let logger: Logger
    private let spans: SpanOutput?
    private let clientLoop: any EventLoop
    private let clients = Lock<HTTP2Server?>(nil)
    private let waits = WaitWatch()
    private let space: DiskSpaceWatch
    private let started = WallClock.now()
    private let activity = Lock(ActivityHistory())
    private let isStopping = Lock(false)

    init(
        _ replicator: Replicator, _ configuration: NodeConfiguration, forwarder: LeaderForwarder,
        security: SecurityWatch, refusals: RefusalCounts, spans: SpanOutput?, clientLoop: any EventLoop,
        logger: Logger
    ) {
        self.replicator = replicator
        self.configuration = configuration
        self.forwarder = forwarder
        self.security = security
        self.refusals = refusals
        self.spans = spans
        self.clientLoop = clientLoop
        self.logger = logger
        self.space = DiskSpaceWatch(directory: configuration.dataDirectory)
        self.space.ask()
    }

    /// Clients are let in by `server` from now on.
    func opened(_ server: HTTP2Server) { self.clients.withLock { $0 = server } }

    /// Samples what rates are made of, and how long the parts of the program let others wait, until it is cancelled.
    func run() async {
        // On its own: a disk that hangs must not end the samples.
        async let measuring: Void = self.waits.run { await self.reach($0) }
        while !Task.isCancelled {
            self.space.ask()
            let sample = ActivitySample(await self.replicator.status())
            self.activity.withLock { $0.add(sample) }
            try? await Task.sleep(for: .milliseconds(AdminLimits.sampleMilliseconds))
        }
        await measuring
    }

    /// From now on the node counts as stopping.
    func drain() { self.isStopping.withLock { $0 = true } }

    private var listeners: NodeStatus.Listeners {
        NodeStatus.Listeners(
            client: self.configuration.clientListen.description, peer: self.configuration.peerListen.description,
            admin: self.configuration.adminListen.description)
    }

    private func disk(_ segments: [ReplicatorSegment], isFull: Bool) -> NodeStatus.Disk {
        let last = self.space.last()
        return NodeStatus.Disk(
            logBytes: UInt64(segments.reduce(0) { $0 + $1.byteCount }), segments: segments.count,
            freeBytes: last?.space?.freeBytes, totalBytes: last?.space?.totalBytes,
            spaceAgeSeconds: last.map { Double($0.age.nanoseconds / 1_000_000) / 1_000 }, isFull: isFull)
    }
}

extension NodeObserver: AdminNode {
    var number: UInt32 { self.configuration.node.rawValue }

    func refused(_ problem: ProblemDocument, of head: HTTPRequest) {
        let (path, _) = QueryParameters.split(head.path ?? "/")
        let isAppend = (try? Route.decide(method: head.method, path: path)) == .append
        self.refusals.note(
            problem, of: isAppend ? .append : .other, trace: RequestLabel(head.headerFields).trace, self.logger)
    }

    var isDraining: Bool { self.isStopping.withLock { $0 } }

    func status(eventsAfter: UInt64?) async -> NodeStatus {
        await self.status(await self.replicator.status(), eventsAfter: eventsAfter)
    }

    func metrics() async -> NodeMetrics {
        let status = await self.replicator.status()
        var metrics = NodeMetrics(status: await self.status(status, eventsAfter: nil))
        metrics.times = NodeMetrics.Times(status)
        metrics.times.waits = self.waits.histograms
        metrics.process.residentBytes = ProcessPicture.residentBytes
        metrics.process.openDescriptors = ProcessPicture.openDescriptors
        metrics.process.descriptorLimit = DescriptorLimit.current.map { UInt64($0.rlim_cur) }
        metrics.process.time = WallClock.now()
        metrics.process.started = self.started
        if let clients = self.clients.withLock({ $0 }) {
            metrics.listeners.append(NodeMetrics.Listener("client", clients))
        }
        metrics.listeners.append(NodeMetrics.Listener("peer", self.replicator.peerServer))
        metrics.refusals = self.refusals.all
        metrics.spansLost = self.spans?.lostCount
        metrics.certificateEnd = self.security.certificateEnd
        return metrics
    }

    private func status(_ status: ReplicatorStatus, eventsAfter: UInt64?) async -> NodeStatus {
        let segments = await self.replicator.listedSegments()
        return NodeStatus(
            node: self.number, time: RFC3339.text(WallClock.now()), started: RFC3339.text(self.started),
            listeners: self.listeners,
            policy: self.configuration.policy.word, isDraining: self.isDraining,
            cluster: ClusterStatus(LogPicture(status), peers: self.replicator.peers),
            repairing: status.repairing?.rawValue, disk: self.disk(segments, isFull: status.isDiskFull),
            totals: NodeTotals(status), recent: self.activity.withLock { $0.activity }, lastEvent: self.lastEvent,
            events: eventsAfter.map { self.events(after: $0) })
    }

    func segments() async -> [SegmentDocument] {
        await self.replicator.listedSegments().map {
            SegmentDocument(
                segment: $0.id.rawValue, firstIndex: $0.firstIndex.rawValue, records: $0.recordCount,
                bytes: $0.byteCount, state: $0.state.rawValue, terms: $0.terms.map(\.rawValue))
        }
    }

    func events(after number: UInt64) -> [EventDocument] {
        self.replicator.history.events(after: number).map { EventDocument($0, of: self.configuration.node) }
    }

    var lastEvent: UInt64 { self.replicator.history.lastNumber }

    var others: [AdminPeer] {
        self.replicator.peers.filter { $0.node != self.configuration.node }.map {
            AdminPeer(number: $0.node.rawValue, client: $0.clientAddress.description)
        }
    }

    func status(of peer: AdminPeer, eventsAfter: UInt64?) async throws(PeerSilence) -> NodeStatus {
        guard let member = self.replicator.peers.first(where: { $0.node.rawValue == peer.number }) else {
            throw PeerSilence("it is no member any more")
        }
        return try await PeerInquiry(self.forwarder).status(
            of: member, in: await self.replicator.status().cluster, eventsAfter: eventsAfter)
    }

    func reach(_ part: NodePart) async {
        switch part {
        case .replication: await self.replicator.reachLoop()
        case .clients: try? await self.clientLoop.submit {}.get()
        case .disk: await self.replicator.reachDisk()
        }
    }

    func confirmedNextIndex() async throws(PeerSilence) -> LogIndex {
        do throws(ReadFailure) { return try await self.replicator.confirmedNextIndex() } catch {
            throw PeerSilence(
                error == .notLeader ? "no leader is known to confirm it" : "no quorum confirms what is committed")
        }
    }

    func isLevel(with index: LogIndex, withinMilliseconds: UInt64) async -> Bool {
        guard index > .first else { return true }
        return await self.replicator.waitForCommit(
            of: LogIndex(index.rawValue - 1), timeoutMilliseconds: withinMilliseconds)
    }
}
