import DequeModule
import LogModel
import LogState
import Logging
import NIOCore
import NIOPosix
import RaftCore
import ReplicaCore
import SegmentLog
import WireFormat

/// The shell around ``ReplicaCore`` on its event loop: network and disk events step the core without a hop,
/// and its actions are performed in order before the next event is taken.
///
/// Event loop only.
final class ReplicatorLoop {
    let eventLoop: any EventLoop
    let logger: Logger
    let watch: CommitWatch
    private(set) var core: ReplicaCore
    let configuration: ReplicatorConfiguration
    let directory: PeerDirectory
    let shipping: RangeShipping
    let disk: DiskThread
    let store: LogStore
    let pool: NIOThreadPool
    let history: EventLog
    let beginAnew: (VerifiedFirstSegment) -> Void
    private let stopped: (ReplicatorError) -> Void
    var links: [NodeID: PeerLink] = [:]
    var upstreams: [StreamID: PeerUpstream] = [:]
    /// Where the answer to a vote request, and to a heartbeat, goes.
    var voteUpstreams: [Member: PeerUpstream] = [:]
    var pulseUpstreams: [Member: PeerUpstream] = [:]
    var readUpstreams: [Member: PeerUpstream] = [:]
    /// What refused peers were told last.
    var refusals: [Member: PeerRefusal] = [:]
    /// Peers that speak another version of the protocol, or do not keep to the one agreed on, until they are understood.
    var strangers: [NodeID: WireError] = [:]
    var pending = PendingRequests()
    /// The peer's first segment, on its way into this node's directory.
    var fetching: Fetching?
    /// A copy of a damaged segment is on its way.
    var repairing: Task<Void, Never>?
    /// Checked, and to be installed.
    var goodCopy: VerifiedSegment?
    private(set) var scrubbing: ReplicaScrubbing?
    private var events: Deque<ReplicaEvent> = []
    private var isStepping = false
    private(set) var isStopped = false
    private var rest: RepeatedTask?
    private var nextTick: Scheduled<Void>?
    var telling = CommitTelling()
    var room = RoomTelling()
    /// The log's end at the last tick.
    private var tickedTail = Position.zero
    private(set) var tailClock = TailClock()
    /// When the event was taken that is worked on.
    private(set) var steppedAt = MonotonicTime.zero
    var appendLatency = LatencyHistogram()
    var commitRounds = RoundTimes()
    var traces: AppendTraces
    var knownLeader: NodeID?
    var counters = ReplicatorStatus.Counters()
    /// The segment whose successor is being made ready, or is.
    var preparedAfter: SegmentID?
    /// Committed by others' disks before this node has written it: not to be read from the files yet.
    var unwritten: Deque<CommitWatch.View> = []

    private static let tickMilliseconds: Int64 = 10
    /// While nothing is appended: an idle node should hardly be noticed, and no time-out is that short.
    private static let idleTickMilliseconds: Int64 = 25

    init(
        core: consuming ReplicaCore, configuration: ReplicatorConfiguration, directory: PeerDirectory, store: LogStore,
        disk: DiskThread, watch: CommitWatch, pool: NIOThreadPool, history: EventLog, eventLoop: any EventLoop,
        beginAnew: @escaping (VerifiedFirstSegment) -> Void, stopped: @escaping (ReplicatorError) -> Void
    ) {
        self.core = core
        self.configuration = configuration
        self.directory = directory
        self.shipping = RangeShipping(
            compression: configuration.compression, pool: pool, eventLoop: eventLoop)
        self.store = store
        self.disk = disk
        self.watch = watch
        self.pool = pool
        self.history = history
        self.eventLoop = eventLoop
        self.logger = configuration.logger
        self.traces = AppendTraces(configuration.tracer)
        self.beginAnew = beginAnew
        self.stopped = stopped
    }

    static func now() -> ReplicaTime {
        ReplicaTime(
            monotonic: MonotonicTime(nanoseconds: NIODeadline.now().uptimeNanoseconds), wall: WallClock.now())
    }

    // MARK: Life

    func start() {
        self.history.note(.started(tail: self.core.chain.tail, mayVote: self.core.raft.mayVote))
        self.connect(to: self.core.raft.membership)
        let bound = NIOLoopBound(self, eventLoop: self.eventLoop)
        self.rest = self.eventLoop.scheduleRepeatedTask(initialDelay: .seconds(1), delay: .seconds(1)) { _ in
            bound.value.disk.rest()
            bound.value.closeStrayLinks()
            bound.value.lookForRoom()
        }
        self.tick()
        self.prepareNextSegment()
        self.watchDamage()
        self.scrubbing = ReplicaScrubbing(
            self.store, bytesPerSecond: self.configuration.scrubBytesPerSecond,
            committed: { [unowned self] in min(self.core.commit, self.core.persisted.position) }, pool: self.pool,
            eventLoop: self.eventLoop)
        self.scrubbing?.begin()
    }

    /// Answers everybody who waits and lets go of peers; the disk is the caller's to stop.
    func stop() {
        self.isStopped = true
        self.rest?.cancel()
        self.nextTick?.cancel()
        let pending = self.pending.takeAll()
        for id in pending.appends.keys { self.traces.answered(id) }
        pending.refuse(held: Set(self.core.heldAppendIDs))
        self.fetching?.task.cancel()
        self.repairing?.cancel()
        self.store.damageFound = nil
        self.scrubbing?.end()
        for link in self.links.values { link.close() }
        for upstream in self.upstreams.values { upstream.close() }
        self.watch.close()
    }

    // MARK: Events in

    private func tick() {
        guard !self.isStopped else { return }
        self.take(.ticked)
        let isIdle = self.tickedTail == self.core.chain.tail
        self.tickedTail = self.core.chain.tail
        self.tailClock.passed(self.core.chain.tail, at: self.steppedAt)
        let bound = NIOLoopBound(self, eventLoop: self.eventLoop)
        self.nextTick = self.eventLoop.scheduleTask(
            in: .milliseconds(isIdle ? Self.idleTickMilliseconds : Self.tickMilliseconds)
        ) { bound.value.tick() }
    }

    func take(_ event: ReplicaEvent) {
        guard !self.isStopped else { return }
        self.events.append(event)
        self.run()
    }

    func take(_ events: [ReplicaEvent]) {
        guard !self.isStopped else { return }
        self.events.append(contentsOf: events)
        self.run()
    }

    private func run() {
        guard !self.isStepping else { return }
        self.isStepping = true
        defer { self.isStepping = false }
        while let event = self.events.popFirst(), !self.isStopped {
            let now = Self.now()
            self.steppedAt = now.monotonic
            let actions = self.core.step(event, now: now)
            if !self.traces.isEmpty { self.advanceTraces() }
            for action in actions { self.perform(action) }
            self.showWritten()
        }
    }

    private func advanceTraces() {
        self.traces.advanced(
            persisted: self.core.persisted.position, commit: self.core.commit,
            followers: { self.core.followers[$0]?.persisted.position })
    }

    func diskReported(_ report: DiskThread.Report) {
        switch report {
        case .events(let events):
            for case .diskRoom(let room) in events { self.tell(room) }
            self.counters.syncs += UInt64(events.count { if case .persisted = $0 { true } else { false } })
            self.take(events)
        case .failed(let error):
            guard !self.isStopped else { return }
            self.logger.critical(
                "the log failed; this node stops",
                metadata: ["error": "\(error)", "hint": "look at the disk, then start the node: it recovers"])
            self.stop()
            self.stopped(.log(error))
        }
    }

    func tune(_ tuning: ReplicatorTuning) {
        self.shipping.compression = tuning.compression
        self.scrubbing?.pace(bytesPerSecond: tuning.scrubBytesPerSecond)
    }

    /// Lets readers see what is committed and stands in the files.
    func showWritten() {
        var view: CommitWatch.View?
        while let next = self.unwritten.first, next.position <= self.core.written.position {
            view = next
            self.unwritten.removeFirst()
        }
        if let view { self.watch.advance(to: view) }
    }
}
