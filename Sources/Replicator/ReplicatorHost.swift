import LogModel
import LogState
import NIOCore
import NIOPosix
import RaftCore
import ReplicaCore
import ReplicaDisk
import SegmentLog
import WireFormat

/// What the peer listener and the front meet: a blank node that only says who it is, or a running one.
///
/// Event loop only.
final class ReplicatorHost {
    private var configuration: ReplicatorConfiguration
    private let peers: PeerDirectory
    private let pool: NIOThreadPool
    private let history: EventLog
    private let eventLoop: any EventLoop
    private var known: ReplicaDirectory
    private var loop: ReplicatorLoop?
    private var disk: DiskThread?
    private var lastUpstream: UInt64 = 0
    private var isStopped = false
    var statusSource: StatusSource?
    let statusPlaces = StatusPlaces()
    /// The log was given up for a peer's first segment, and is opened again.
    private var beginning: Task<Void, Never>?

    init(
        configuration: ReplicatorConfiguration, directory: ReplicaDirectory, peers: PeerDirectory,
        pool: NIOThreadPool, history: EventLog, eventLoop: any EventLoop
    ) {
        self.configuration = configuration
        self.peers = peers
        self.known = directory
        self.pool = pool
        self.history = history
        self.eventLoop = eventLoop
    }

    struct ReadAccess: Sendable {
        var store: LogStore
        var watch: CommitWatch
        /// A confirmed read must see all records before this one.
        var atLeast: LogIndex?
        /// `false` while the log may be shorter than it was.
        var isWhole = true
    }

    func nextUpstreamID() -> StreamID {
        self.lastUpstream += 1
        return StreamID(self.lastUpstream)
    }

    /// Takes up the log and begins to take part.
    func run(_ directory: ReplicaDirectory, failed: @escaping @Sendable (ReplicatorError) -> Void) throws {
        guard !self.isStopped else { return }
        let running = try directory.running(self.configuration, now: ReplicatorLoop.now())
        self.known = directory
        let bound = NIOLoopBound(self, eventLoop: self.eventLoop)
        let eventLoop = self.eventLoop
        let disk = DiskThread(disk: running.disk, policy: self.configuration.policy, eventLoop: eventLoop) { report in
            eventLoop.execute { bound.value.loop?.diskReported(report) }
        }
        let watch = CommitWatch(
            .init(position: running.core.commit, nextIndex: running.core.committedNextIndex))
        let store = running.store
        let loop = ReplicatorLoop(
            core: running.core, configuration: self.configuration, directory: self.peers, store: store, disk: disk,
            watch: watch, pool: self.pool, history: self.history, eventLoop: eventLoop,
            beginAnew: { bound.value.beginAnew(with: $0, failed: failed) }, stopped: failed)
        self.disk = disk
        self.access = ReadAccess(store: store, watch: watch)
        self.loop = loop
        loop.start()
    }

    private var access: ReadAccess?

    /// Ends this node's part in the cluster and begins again, from the copy: as after a crash, but in one process.
    ///
    /// Whoever waits is answered by then, and term and vote stand on the disk before they are read again.
    private func beginAnew(
        with copy: VerifiedFirstSegment, failed: @escaping @Sendable (ReplicatorError) -> Void
    ) {
        guard let disk = self.disk else { return }
        self.loop?.stop()
        self.loop = nil
        self.access = nil
        self.disk = nil
        let (configuration, pool, eventLoop) = (self.configuration, self.pool, self.eventLoop)
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        self.beginning = Task {
            do {
                if let error = await disk.stop(for: copy) { throw ReplicatorError.log(error) }
                let directory = try await pool.runIfActive { try ReplicaDirectory.open(configuration) }
                directory.tell(configuration.logger)
                try await eventLoop.submit { try bound.value.run(directory, failed: failed) }.get()
            } catch let error as ReplicatorError {
                failed(error)
            } catch let error as ReplicaOpeningError {
                failed(.opening(error))
            } catch {
                configuration.logger.info("stopped before the log was taken up again", metadata: ["error": "\(error)"])
            }
        }
    }

    func propose(_ entries: [AppendQueue.Entry]) {
        guard let loop = self.loop else {
            for entry in entries { entry.reply(.failure(.notLeader(leader: nil))) }
            return
        }
        loop.propose(entries)
    }

    func readAccess(confirms: Bool) -> EventLoopFuture<ReadAccess> {
        guard let loop = self.loop, let access = self.access else {
            return self.eventLoop.makeFailedFuture(ReadFailure.unavailable)
        }
        guard confirms else {
            let isWhole = loop.core.raft.right != .lostUntilLevel
            return self.eventLoop.makeSucceededFuture(
                ReadAccess(store: access.store, watch: access.watch, isWhole: isWhole))
        }
        return loop.confirmRead().map { ReadAccess(store: access.store, watch: access.watch, atLeast: $0) }
    }

    func readCursors() -> EventLoopFuture<CursorTable> {
        guard let loop = self.loop else { return self.eventLoop.makeFailedFuture(ReadFailure.unavailable) }
        return loop.readCursors()
    }

    func transfer(to node: NodeID?, done: @escaping (Result<NodeID, TransferFailure>) -> Void) {
        guard let loop = self.loop else { return done(.failure(.notLeader(leader: nil))) }
        loop.transfer(to: node, done: done)
    }

    func change(
        _ change: MembershipChange, done: @escaping (Result<Membership, MembershipFailure>) -> Void
    ) {
        guard let loop = self.loop else { return done(.failure(.notLeader(leader: nil))) }
        loop.change(change, done: done)
    }

    func trim(before index: LogIndex, done: @escaping (Result<TrimOutcome, TrimFailure>) -> Void) {
        guard let loop = self.loop else { return done(.failure(.notLeader(leader: nil))) }
        loop.trim(before: index, done: done)
    }

    /// Also holds when the log is taken up again.
    func tune(_ tuning: ReplicatorTuning) {
        self.configuration.compression = tuning.compression
        self.configuration.scrubBytesPerSecond = tuning.scrubBytesPerSecond
        self.loop?.tune(tuning)
    }

    /// The segments of the log, in order; none before there is a log.
    func listedSegments() -> [ReplicatorSegment] { self.loop?.segments() ?? [] }

    /// The thread that writes and syncs; `nil` before there is a log.
    var diskThread: DiskThread? { self.disk }

    func status() -> ReplicatorStatus {
        if let loop = self.loop { return loop.status(identity: self.known.identity) }
        return ReplicatorStatus(
            phase: self.isStopped ? .stopped : .forming, node: self.configuration.node,
            incarnation: self.known.identity.incarnation, generation: self.known.identity.generation, cluster: nil,
            role: .follower, term: .zero, leader: nil,
            commit: .zero, tail: .zero, firstIndex: .first, nextIndex: .first, isReady: false,
            membership: Membership(), peers: [], mayVote: false)
    }

    /// - Returns: What is to be waited for off the event loop, and then the disk, to be stopped there.
    func stop() -> (beginning: Task<Void, Never>?, disk: DiskThread?) {
        self.isStopped = true
        self.loop?.stop()
        return (self.beginning, self.disk)
    }
}

extension ReplicatorHost: PeerServiceOwner {
    var identity: PeerIdentity {
        var identity = self.known.peerIdentity
        if let loop = self.loop {
            identity.members = loop.membership.members
            identity.isRetired = loop.core.retirement != nil
        }
        return identity
    }
    var cluster: ClusterID? { self.known.identity.cluster }
    var start: MemberStart? { self.loop?.core.start }
    var segments: SegmentSource? {
        self.access.map { SegmentSource(store: $0.store, watch: $0.watch, pool: self.pool) }
    }
    func noted(_ claimed: NodeID, certified: NodeID) {
        self.configuration.logger.warning(
            "a peer is refused: it speaks for another node",
            metadata: [
                "peer": "\(claimed)", "certificate": "node \(certified)",
                "hint": "give each node the certificate of its own number: holdfast certs node \(claimed)",
            ])
    }
    func opened(_ upstream: PeerUpstream) { self.loop?.opened(upstream) ?? upstream.close() }
    func received(_ message: PeerMessage, on upstream: PeerUpstream) { self.loop?.received(message, on: upstream) }
    func closed(_ upstream: PeerUpstream) { self.loop?.closed(upstream) }
    func misunderstood(_ error: WireError, from node: NodeID) { self.loop?.misunderstood(error, from: node) }
}
