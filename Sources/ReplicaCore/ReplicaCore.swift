import DequeModule
import LogModel
import LogState
import RaftCore
import SegmentFormat
import WireFormat

/// All decisions of a cluster node, as a value: events in, actions out; no I/O, no clock, no randomness.
///
/// It joins the consensus core, which knows terms and positions only, to the frames themselves: where an
/// append is placed, what is shipped to whom, what a received range may replace, who is answered when.
///
///     proposed --> place --+--> disk job ------> persisted --+
///                          '--> ship (window) -> acked ------+--> RaftCore --> committed --> answers
///
/// The shell performs the actions strictly in their order and never waits between a step and queueing them.
package struct ReplicaCore: ~Copyable {
    package let configuration: ReplicaConfiguration
    package internal(set) var raft: RaftCore
    package internal(set) var history: LogStateHistory
    var marks: ChainMarks
    var buffer: TailBuffer
    var pace = AppendPace()
    package internal(set) var segments: SegmentTable
    var trimMarks: TrimMarks
    package internal(set) var written: LogPoint
    package internal(set) var persisted: LogPoint
    var diskRoom = DiskRoom.enough
    /// Counts the truncations given to the disk.
    var diskGeneration: UInt64 = 0

    // Leader.
    /// Bytes of the drafts that came together and are not placed yet.
    var placingByteCount = 0
    package internal(set) var followers: [NodeID: FollowerProgress] = [:]
    var connected: Set<NodeID> = []
    var pending = PendingAppends()
    var lastStream: UInt64 = 0
    var handover: Handover?
    var leaderWait = LeaderWait()
    var membership = MembershipWork()
    /// Who led last, at a node that is no member any more.
    var successor: NodeID?
    var deferredAnswers = DeferredAnswers()
    var trims = PendingRequests()

    // Peers.
    var starts: StartLedger
    /// Why this incarnation neither votes nor counts any more.
    package internal(set) var retirement: Retirement?

    // Follower.
    var upstream: Upstream?
    /// What this log lacks, and cannot take, until a range is taken again.
    var laterFormat: LaterFormat?
    /// The peers' first segment, of which a copy is being made: this log ends before it.
    var fetched: SegmentID?

    var repairs = RepairWork()

    var now: ReplicaTime
    var actions: [ReplicaAction] = []
    var effects: Deque<RaftEffect> = []
    var lastRole: RoleView

    /// The stream on which the current leader speaks.
    struct Upstream: Sendable {
        var stream: StreamID
        var leader: Member
        /// A first RANGE has shown that this log is a prefix of the leader's.
        var isConfirmed = false
    }

    struct RoleView: Hashable, Sendable {
        var role: RaftRole
        var term: Term
        var leader: NodeID?
    }

    package init(configuration: ReplicaConfiguration, recovered: consuming RecoveredReplica, now: ReplicaTime) {
        let chain = recovered.marks.tail
        self.configuration = configuration
        self.raft = RaftCore(
            configuration: configuration.raft,
            recovered: RaftRecovered(
                hardState: recovered.hardState,
                membership: recovered.history.current.membership,
                terms: recovered.history.current.terms.starts,
                tail: chain.point,
                commit: recovered.marks.committed.tail,
                right: recovered.right,
                vouched: recovered.vouched,
                isRetired: recovered.retirement != nil
            ),
            now: now.monotonic,
            randomSeed: configuration.randomSeed
        )
        self.history = recovered.history
        self.marks = recovered.marks
        self.buffer = TailBuffer(byteCountMax: configuration.limits.tailByteCountMax)
        self.segments = recovered.segments
        self.trimMarks = recovered.trimMarks
        self.starts = StartLedger(recovered.sightings)
        self.retirement = recovered.retirement
        self.written = chain.point
        self.persisted = chain.point
        self.now = now
        self.lastRole = RoleView(role: .follower, term: recovered.hardState.term, leader: nil)
        // Recovery has synced what it kept.
        self.consensus(.persisted(through: chain.point))
        self.carryOutTrim()
    }

    // MARK: What others may look at

    /// Where the log ends and what the next frame must say.
    package var chain: FrameChain { self.marks.tail }
    package var commit: Position { self.marks.committed.tail }
    /// The index that the next record would take if nothing uncommitted survived.
    package var committedNextIndex: LogIndex { self.marks.committed.nextIndex }
    package var committedCursors: CursorTable { self.history.committedCursors }
    /// Appends that wait for a leader: not placed anywhere.
    package var heldAppendIDs: [UInt64] { self.leaderWait.appendIDs }
    package var pendingAppendCount: Int { self.pending.count }

    func contains(_ point: LogPoint) -> Bool {
        point.position <= self.chain.tail
            && self.history.current.terms.term(ofFrameEndingAt: point.position) == point.term
    }

    // MARK: Step

    package mutating func step(_ event: ReplicaEvent, now: ReplicaTime) -> [ReplicaAction] {
        self.now = now
        self.handle(event)
        self.drainEffects()
        self.answerWaitingForAll()
        self.reportRole()
        defer { self.actions.removeAll(keepingCapacity: true) }
        return self.actions
    }

    private mutating func handle(_ event: ReplicaEvent) {
        switch event {
        case .ticked: self.ticked()
        case .proposed(let proposals): self.proposed(proposals)
        case .readAsked(let id): self.consensus(.readAsked(id: id))
        case .transferAsked(let id, let node): self.transferAsked(id, to: node)
        case .membershipAsked(let id, let change): self.membershipAsked(id, change)
        case .trimAsked(let id, let index): self.trimAsked(id, before: index)
        case .written(let point, let generation): self.diskWrote(through: point, generation: generation)
        case .persisted(let point, let generation): self.diskPersisted(through: point, generation: generation)
        case .votePersisted(let state): self.consensus(.votePersisted(state))
        case .diskRoom(let room): self.diskRoom = room
        case .connected(let node): self.peerConnected(node)
        case .disconnected(let node): self.peerDisconnected(node)
        case .died(let node): self.consensus(.leaderLost(node))
        case .met(let start): _ = self.admits(start)
        case .received(let message, let start):
            if self.admits(start), !self.provesNothing(message, from: start) {
                self.consensus(.received(message, from: start.member))
                if case .heartbeatReply(let reply) = message { self.endDamagedSegment(of: reply) }
            }
        case .refused(let refusal, let node): self.refused(refusal, by: node)
        case .welcomed(let welcome, let start, let stream, let node):
            self.welcomed(welcome, from: start, on: stream, by: node)
        case .acknowledged(let ack, let stream, let node): self.acknowledged(ack, on: stream, by: node)
        case .streamClosed(let stream, let node): self.streamClosed(stream, to: node)
        case .loaded(let bytes, let from, let node, let stream):
            self.loaded(bytes, from: from, to: node, stream: stream)
        case .loadFailed(let node, let stream): self.abandon(stream, to: node)
        case .upstreamClosed(let stream): self.upstreamClosed(stream)
        case .greeted(let hello, let start, let stream): self.greeted(hello, from: start, on: stream)
        case .shipped(let range, let raw, let stream): self.received(range, raw: raw, on: stream)
        case .toldTrimmed(let first, let stream): self.toldTrimmed(first, on: stream)
        case .fetched(let segment): self.fetched(segment)
        case .fetchFailed(let segment): self.fetchFailed(segment)
        case .damageFound(let segment, let end): self.damageFound(in: segment, end: end)
        case .copyFetched(let segment): self.copyFetched(segment)
        case .copyInstalled(let segment, let firstIndex, let byteCount):
            self.copyInstalled(segment, firstIndex: firstIndex, byteCount: byteCount)
        case .repairFailed(let segment): self.repairFailed(segment)
        }
    }

    private mutating func ticked() {
        self.consensus(.ticked)
        for id in self.pending.expired(at: self.now.monotonic) {
            self.actions.append(.answer(id: id, .failure(.timedOut)))
        }
        self.expireDeferred()
        self.endTrims(self.trims.expired(at: self.now.monotonic), .timedOut)
        self.expireLeaderWait()
        self.expireMembership()
        self.drainEffects()
        self.driveMembership()
        self.drainEffects()
        if self.raft.role == .leader { self.tendFollowers() }
        self.driveRepairs()
    }

    // MARK: The consensus core

    /// Steps the core; its effects are performed in order once the present event is handled.
    mutating func consensus(_ input: RaftInput) {
        self.effects.append(contentsOf: self.raft.step(input, now: self.now.monotonic))
    }

    mutating func drainEffects() {
        while let effect = self.effects.popFirst() { self.perform(effect) }
    }

    private mutating func perform(_ effect: RaftEffect) {
        switch effect {
        case .persistVote(let state): self.actions.append(.disk(.persistVote(state)))
        case .send(let message, let member): self.actions.append(.send(message, to: member))
        case .becameLeader(let term): self.becameLeader(of: term)
        case .becameFollower, .becameCandidate: self.stoppedLeading()
        case .committed(let position): self.committed(through: position)
        case .readReady(let id, _): self.confirmed(id)
        case .readRefused(let id): self.unconfirmed(id)
        case .transferFailed: self.transferFailed()
        case .regainedVote:
            self.actions.append(.disk(.liftBar))
            self.actions.append(.note(.regainedVote))
        }
    }

    private mutating func committed(through position: Position) {
        // A peer that names a position inside a frame commits whole frames only.
        self.marks.commit(through: position)
        let position = self.commit
        self.history.commit(through: position)
        self.actions.append(.disk(.recordCommit(position)))
        // Readers first: whoever is answered can read what it appended.
        self.actions.append(.committed(through: position, nextIndex: self.committedNextIndex))
        self.answerCommitted()
        self.answerDeferred()
        self.trimsCommitted(through: position)
        self.membershipCommitted()
        self.driveMembership()
    }

    mutating func answerCommitted() {
        guard self.pending.count > 0 else { return }
        for done in self.pending.committed(through: self.commit, vouchers: self.raft.vouchers) {
            self.actions.append(.answer(id: done.id, .success(done.outcome)))
        }
    }

    private mutating func confirmed(_ id: UInt64) {
        if self.membershipConfirmed(id, isLeader: true) || self.confirmedAnswer(id) || self.trimConfirmed(id) { return }
        self.actions.append(.readReady(id: id, nextIndex: self.committedNextIndex))
    }

    private mutating func unconfirmed(_ id: UInt64) {
        if self.membershipConfirmed(id, isLeader: false) || self.unconfirmedAnswer(id) || self.trimUnconfirmed(id) {
            return
        }
        if !self.hold(read: id) { self.actions.append(.readRefused(id: id)) }
    }

    private mutating func reportRole() {
        let view = RoleView(role: self.raft.role, term: self.raft.term, leader: self.raft.leader)
        guard view != self.lastRole else { return }
        self.leadershipMoved()
        self.drainEffects()
        self.lastRole = view
        self.actions.append(.roleChanged(view.role, term: view.term, leader: view.leader))
    }
}
