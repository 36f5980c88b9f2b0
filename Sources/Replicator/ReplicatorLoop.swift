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
    private let beginAnew: (VerifiedFirstSegment) -> Void
    private let stopped: (ReplicatorError) -> Void
    var links: [NodeID: PeerLink] = [:]
    var upstreams: [StreamID: PeerUpstream] = [:]
    /// Where the answer to a vote request, and to a heartbeat, goes.
    var voteUpstreams: [Member: PeerUpstream] = [:]
    var pulseUpstreams: [Member: PeerUpstream] = [:]
    var readUpstreams: [Member: PeerUpstream] = [:]
    /// What refused peers were told last.
    var refusals: [Member: PeerRefusal] = [:]
    /// Peers that speak another version of the protocol, and which.
    var strangers: [NodeID: UInt16] = [:]
    private struct Asked {
        var reply: AppendQueue.Reply
        var at: NIODeadline
    }

    private var replies: [UInt64: Asked] = [:]
    private var reads: [UInt64: EventLoopPromise<LogIndex>] = [:]
    private var transfers: [UInt64: (Result<NodeID, TransferFailure>) -> Void] = [:]
    private var changes: [UInt64: (Result<Membership, MembershipFailure>) -> Void] = [:]
    private var trims: [UInt64: (Result<TrimOutcome, TrimFailure>) -> Void] = [:]
    /// The peer's first segment, on its way into this node's directory.
    var fetching: Fetching?
    /// A copy of a damaged segment is on its way.
    var repairing: Task<Void, Never>?
    /// Checked, and to be installed.
    var goodCopy: VerifiedSegment?
    private var scrubbing: ReplicaScrubbing?
    private var lastID: UInt64 = 0
    private var events: Deque<ReplicaEvent> = []
    private var isStepping = false
    private var isStopped = false
    private var rest: RepeatedTask?
    private var nextTick: Scheduled<Void>?
    private var isTellingCommit = false
    private var proposedAt = NIODeadline.uptimeNanoseconds(0)
    /// The last append came close behind another one.
    private var isBusy = false
    /// The log's end at the last tick.
    private var tickedTail = Position.zero
    private var tailClock = TailClock()
    /// When the event was taken that is worked on.
    private var steppedAt = MonotonicTime.zero
    private var appendLatency = LatencyHistogram()
    private var commitRounds = RoundTimes()
    private var traces: AppendTraces
    private var knownLeader: NodeID?
    var counters = ReplicatorStatus.Counters()
    private var preparedAfter: SegmentID?
    /// Committed by others' disks before this node has written it: not to be read from the files yet.
    private var unwritten: Deque<CommitWatch.View> = []

    private static let tickMilliseconds: Int64 = 10
    /// While nothing is appended: an idle node should hardly be noticed, and no time-out is that short.
    private static let idleTickMilliseconds: Int64 = 25
    /// An append behind another within this time is one of many: the next one's RANGE carries the commit.
    private static let busyMilliseconds: Int64 = 1
    /// How long a commit waits for that RANGE.
    private static let commitPatienceMilliseconds: Int64 = 3

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
        let held = Set(self.core.heldAppendIDs)
        for (id, asked) in self.replies {
            self.traces.answered(id)
            asked.reply(.failure(.shuttingDown(mayBeApplied: !held.contains(id))))
        }
        self.replies.removeAll()
        for read in self.reads.values { read.fail(ReadFailure.unavailable) }
        self.reads.removeAll()
        for transfer in self.transfers.values { transfer(.failure(.shuttingDown)) }
        self.transfers.removeAll()
        for change in self.changes.values { change(.failure(.unknownOutcome)) }
        self.changes.removeAll()
        for trim in self.trims.values { trim(.failure(.shuttingDown)) }
        self.trims.removeAll()
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

    func propose(_ entries: [AppendQueue.Entry]) {
        guard !self.isStopped else {
            for entry in entries { entry.reply(.failure(.shuttingDown(mayBeApplied: false))) }
            return
        }
        var proposals: [Proposal] = []
        proposals.reserveCapacity(entries.count)
        let now = NIODeadline.now()
        for entry in entries {
            self.lastID += 1
            self.replies[self.lastID] = Asked(reply: entry.reply, at: now)
            proposals.append(Proposal(id: self.lastID, entry.submission))
        }
        self.isBusy = now - self.proposedAt < .milliseconds(Self.busyMilliseconds)
        self.proposedAt = now
        let tail = self.core.chain.tail
        self.take(.proposed(proposals))
        guard self.core.raft.role == .leader, self.core.chain.tail > tail else { return }
        self.commitRounds.began(toward: self.core.chain.tail, at: self.steppedAt)
        self.trace(entries, proposals)
    }

    /// What waits for a leader, or is answered already, stands nowhere: its request's span tells of it.
    private func trace(_ entries: [AppendQueue.Entry], _ proposals: [Proposal]) {
        guard entries.contains(where: { $0.context != nil }) else { return }
        let held = Set(self.core.heldAppendIDs)
        for (entry, proposal) in zip(entries, proposals) {
            guard let context = entry.context, self.replies[proposal.id] != nil, !held.contains(proposal.id) else {
                continue
            }
            self.traces.placed(
                proposal.id, in: context, through: self.core.chain.tail, followers: self.core.followers.keys.sorted())
        }
    }

    private func advanceTraces() {
        self.traces.advanced(
            persisted: self.core.persisted.position, commit: self.core.commit,
            followers: { self.core.followers[$0]?.persisted.position })
    }

    /// - Returns: The index that the next record takes, once a heartbeat round has shown that this node led.
    func confirmRead() -> EventLoopFuture<LogIndex> {
        let promise = self.eventLoop.makePromise(of: LogIndex.self)
        guard !self.isStopped else {
            promise.fail(ReadFailure.unavailable)
            return promise.futureResult
        }
        self.lastID += 1
        self.reads[self.lastID] = promise
        self.take(.readAsked(id: self.lastID))
        return promise.futureResult
    }

    /// The cursors as all that was acknowledged before has left them.
    func readCursors() -> EventLoopFuture<CursorTable> {
        let bound = NIOLoopBound(self, eventLoop: self.eventLoop)
        return self.confirmRead().map { _ in bound.value.core.committedCursors }
    }

    /// - Parameter done: Called exactly once, with the node that leads then.
    func transfer(to node: NodeID?, done: @escaping (Result<NodeID, TransferFailure>) -> Void) {
        guard !self.isStopped else { return done(.failure(.shuttingDown)) }
        self.lastID += 1
        self.transfers[self.lastID] = done
        self.take(.transferAsked(id: self.lastID, to: node))
    }

    /// - Parameter done: Called exactly once.
    func change(_ change: MembershipChange, done: @escaping (Result<Membership, MembershipFailure>) -> Void) {
        guard !self.isStopped else { return done(.failure(.notLeader(leader: nil))) }
        self.lastID += 1
        self.changes[self.lastID] = done
        self.take(.membershipAsked(id: self.lastID, change))
    }

    /// - Parameter done: Called exactly once, with where the log begins then.
    func trim(before index: LogIndex, done: @escaping (Result<TrimOutcome, TrimFailure>) -> Void) {
        guard !self.isStopped else { return done(.failure(.shuttingDown)) }
        self.lastID += 1
        self.trims[self.lastID] = done
        self.take(.trimAsked(id: self.lastID, before: index))
    }

    func diskReported(_ report: DiskThread.Report) {
        switch report {
        case .events(let events):
            for case .diskFilled(let isFull) in events { self.history.note(isFull ? .diskFilled : .diskHasRoom) }
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

    /// Lets readers see what is committed and stands in the files.
    private func showWritten() {
        var view: CommitWatch.View?
        while let next = self.unwritten.first, next.position <= self.core.written.position {
            view = next
            self.unwritten.removeFirst()
        }
        if let view { self.watch.advance(to: view) }
    }

    // MARK: Actions out

    private func perform(_ action: ReplicaAction) {
        switch action {
        case .disk(let job):
            if case .write(let bytes, _, _) = job { self.counters.bytesWritten += UInt64(bytes.count) }
            self.disk.enqueue(job)
        case .answer(let id, let result): self.answer(id, result)
        case .transferred(let id, let result):
            self.history.note(.transferred(result))
            self.transfers.removeValue(forKey: id)?(result)
        case .membershipAnswered(let id, let result): self.changes.removeValue(forKey: id)?(result)
        case .membershipChanged(let membership):
            self.history.note(.membershipChanged(membership))
            self.connect(to: membership)
        case .trimmed(let id, let result): self.trims.removeValue(forKey: id)?(result)
        case .send(let message, let member): self.send(message, to: member)
        case .greet(let node): self.links[node]?.ask(.greeting, at: "/peer/v1/greet")
        case .refuse(let refusal, let member): self.refuse(refusal, member)
        case .openStream(let id, let node, let hello): self.links[node]?.openReplicate(id, hello: hello)
        case .closeStream(let id, let node): self.links[node]?.closeReplicate(id)
        case .ship(let range, let id, let node): self.links[node]?.ship(range, on: id)
        case .load(let node, let stream, let from, let through, let byteCountMax):
            self.load(to: node, stream: stream, from: from, through: through, byteCountMax: byteCountMax)
        case .tellTrimmed(let first, let id, let node): self.links[node]?.tellTrimmed(first, on: id)
        case .fetch(let segment, let node): self.fetch(segment, from: node)
        case .dropFetch: self.dropFetch()
        case .fetchCopy(let segment, let node): self.fetchCopy(of: segment, from: node)
        case .installCopy(let segment): self.installCopy(of: segment)
        case .beginAnew: if let copy = self.fetching?.copy { self.beginAnew(copy) }
        case .welcome(let welcome, let id): self.upstreams[id]?.send(.welcome(welcome))
        case .acknowledge(let ack, let id): self.upstreams[id]?.send(.ack(ack))
        case .closeUpstream(let id): self.upstreams.removeValue(forKey: id)?.messages.stream.finish()
        case .committed(let position, let nextIndex):
            self.commitRounds.reached(position, at: self.steppedAt)
            self.unwritten.append(.init(position: position, nextIndex: nextIndex))
            self.showWritten()
            self.tellCommit()
            self.prepareNextSegment()
        case .readReady(let id, let nextIndex): self.reads.removeValue(forKey: id)?.succeed(nextIndex)
        case .readRefused(let id): self.reads.removeValue(forKey: id)?.fail(ReadFailure.notLeader)
        case .roleChanged(let role, let term, let leader): self.roleChanged(role, term: term, leader: leader)
        case .note(let note): self.tell(note)
        }
    }

    /// So that readers on followers see what was appended hardly later than the leader's own, and a busy leader sends
    /// nothing more for it.
    private func tellCommit() {
        guard self.core.raft.role == .leader else { return }
        if self.isBusy { self.tellCommitSoon() } else if self.core.owes(self.core.commit) { self.take(.ticked) }
    }

    private func tellCommitSoon() {
        guard !self.isTellingCommit else { return }
        self.isTellingCommit = true
        let commit = self.core.commit
        let bound = NIOLoopBound(self, eventLoop: self.eventLoop)
        self.eventLoop.scheduleTask(in: .milliseconds(Self.commitPatienceMilliseconds)) {
            bound.value.isTellingCommit = false
            if bound.value.core.owes(commit) { bound.value.take(.ticked) }
        }
    }

    private func answer(_ id: UInt64, _ result: Result<AppendOutcome, AppendFailure>) {
        guard let asked = self.replies.removeValue(forKey: id) else { return }
        if !self.traces.isEmpty { self.traces.answered(id) }
        switch result {
        case .success:
            self.counters.appendsAcknowledged += 1
            let now = self.steppedAt.nanoseconds
            self.appendLatency.note(nanoseconds: now - min(now, asked.at.uptimeNanoseconds))
        // It is sent on and counts where it is answered, or its caller has asked to be told.
        case .failure(.notLeader(leader: .some)), .failure(.conditionFailed): break
        case .failure: self.counters.appendsRefused += 1
        }
        asked.reply(result)
    }

    private func send(_ message: RaftMessage, to member: Member) {
        switch message {
        case .voteRequest(let request): self.links[member.node]?.ask(.voteRequest(request), at: "/peer/v1/vote")
        case .voteReply(let reply): self.voteUpstreams.removeValue(forKey: member)?.send(.voteReply(reply))
        case .heartbeat(let heartbeat): self.links[member.node]?.sendPulse(.heartbeat(heartbeat))
        case .heartbeatReply(let reply): self.pulseUpstreams[member]?.send(.heartbeatReply(reply))
        case .transferRequest(let request):
            self.links[member.node]?.ask(.transferRequest(request), at: "/peer/v1/transfer")
        case .readRequest(let request): self.links[member.node]?.ask(.readIndexRequest(request), at: "/peer/v1/read")
        case .readReply(let reply): self.readUpstreams.removeValue(forKey: member)?.send(.readIndexReply(reply))
        }
    }

    private func load(to node: NodeID, stream: StreamID, from: Position, through: Position, byteCountMax: Int) {
        let store = self.store
        let bound = NIOLoopBound(self, eventLoop: self.eventLoop)
        self.pool.runIfActive(eventLoop: self.eventLoop) {
            try store.read(from: from, through: through, byteCountMax: byteCountMax)
        }.whenComplete { result in
            switch result {
            case .success(let range):
                bound.value.take(.loaded(bytes: range.bytes, from: range.position, to: node, stream: stream))
            case .failure(let error):
                bound.value.logger.error(
                    "cannot read the log for a follower; trying again",
                    metadata: ["peer": "\(node)", "from": "\(from)", "error": "\(error)"])
                bound.value.take(.loadFailed(to: node, stream: stream))
            }
        }
    }

    private func roleChanged(_ role: RaftRole, term: Term, leader: NodeID?) {
        if role == .candidate { self.counters.elections += 1 }
        if role != .leader { self.commitRounds.dropped() }
        if let leader, leader != self.knownLeader {
            self.counters.leaderChanges += 1
            self.knownLeader = leader
        }
        self.history.note(.roleChanged(role, term: term, leader: leader))
        self.tell(role, term: term, leader: leader)
    }

    /// Once for each segment, as soon as it is the active one.
    private func prepareNextSegment() {
        let active = self.core.chain.tail.segment
        guard self.preparedAfter != active else { return }
        if self.preparedAfter != nil {
            self.counters.rotations += 1
            self.history.note(.rotated(to: active))
        }
        self.preparedAfter = active
        self.disk.prepareNextSegment()
    }

    func tune(_ tuning: ReplicatorTuning) {
        self.shipping.compression = tuning.compression
        self.scrubbing?.pace(bytesPerSecond: tuning.scrubBytesPerSecond)
    }

    // MARK: For people

    func status(identity: NodeIdentity) -> ReplicatorStatus {
        var counters = self.counters
        for link in self.links.values {
            counters.rangesShipped += link.shipped.rangeCount
            counters.rangeBytesRaw += link.shipped.bytesRaw
            counters.rangeBytesOnWire += link.shipped.bytesOnWire
        }
        return ReplicatorStatus(
            phase: self.isStopped ? .stopped : .running, node: self.configuration.node,
            incarnation: identity.incarnation, generation: identity.generation, cluster: identity.cluster,
            role: self.core.raft.role,
            term: self.core.raft.term, leader: self.core.knownLeader, commit: self.core.commit,
            tail: self.core.chain.tail, firstIndex: self.store.firstIndex, nextIndex: self.core.committedNextIndex,
            tailIndex: self.core.chain.nextIndex, votedFor: self.core.raft.hardState.vote?.node,
            isReady: self.core.isReady, retirement: self.core.retirement, membership: self.membership,
            peers: self.links.sorted { $0.key < $1.key }.map { node, link in
                let progress = self.core.followers[node]
                return .init(
                    node: node, isConnected: link.isConnected, received: progress?.received.position,
                    persisted: progress?.persisted.position,
                    missingByteCount: self.core.missingByteCount(of: node),
                    lagMilliseconds: self.lagMilliseconds(of: node), shipping: progress?.shipping,
                    inFlightByteCount: progress?.inFlightByteCount ?? 0,
                    shipped: link.shipped, roundTimes: link.roundTimes)
            },
            mayVote: self.core.raft.mayVote, damagedSegments: self.core.damagedSegments,
            repairing: self.core.repairing, isDiskFull: self.core.waitsForRoom,
            scrubbing: self.scrubbing?.progress ?? .init(), appendLatency: self.appendLatency,
            commitLatency: self.commitRounds.times, syncLatency: self.disk.syncLatency, counters: counters)
    }

    private func lagMilliseconds(of node: NodeID) -> UInt64? {
        guard self.core.raft.role == .leader, let progress = self.core.followers[node] else { return nil }
        return self.tailClock.milliseconds(behind: progress.persisted.position, now: Self.now().monotonic)
    }
}
