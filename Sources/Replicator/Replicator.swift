import DiskIO
import HTTP2Transport
import LogModel
import LogState
import Logging
import NIOCore
import NIOPosix
import RaftCore
import ReplicaCore
import ReplicaDisk
import SegmentLog
import Tracing
import WireFormat

/// A running member of the cluster: its log, its peers, and the part of both that others may ask for.
///
/// May be used from any thread. It starts *forming* when its directory is blank, serves nobody until the
/// cluster exists, and is *running* from then on.
package final class Replicator: Sendable {
    private let configuration: ReplicatorConfiguration
    private let eventLoop: any EventLoop
    private let host: NIOLoopBoundBox<ReplicatorHost>
    private let queue: AppendQueue
    private let pool: NIOThreadPool
    private let seats = PageSeats()
    /// Peers come in here.
    package let peerServer: HTTP2Server
    private let directory: PeerDirectory
    /// What has happened here, for people.
    package let history: EventLog
    private let forming = Lock<Task<Void, Never>?>(nil)
    private let failure: EventLoopPromise<Void>

    /// Opens the data directory, listens for peers, and joins or forms the cluster in the background.
    ///
    /// - Parameter eventLoop: For the decisions and all peer connections; nothing else should run on it.
    /// - Throws: ``ReplicatorError``; nothing runs then. ``ReplicatorError/cancelled`` when the task is cancelled before
    ///   the log is recovered: recovery goes on in its thread, with the directory locked, for as long as the process does.
    ///   The process may end at any time, since each step of recovery is one that a crash may end.
    package static func start(
        _ configuration: ReplicatorConfiguration, eventLoop: any EventLoop
    ) async throws(ReplicatorError) -> Replicator {
        let pool = NIOThreadPool(numberOfThreads: 2)
        pool.start()
        let directory: ReplicaDirectory
        do throws(ReplicatorError) { directory = try await self.open(configuration, on: pool) } catch {
            // Not waited for: whoever is cancelled has no time for the end of a recovery.
            pool.shutdownGracefully { _ in }
            throw error
        }
        directory.tell(configuration.logger)
        let peers = PeerDirectory(configured: configuration.peers)
        let history = EventLog()
        let host = NIOLoopBoundBox.makeBoxSendingValue(
            ReplicatorHost(
                configuration: configuration, directory: directory, peers: peers, pool: pool, history: history,
                eventLoop: eventLoop),
            eventLoop: eventLoop)
        let server: HTTP2Server
        do {
            server = try await HTTP2Server.bind(
                host: configuration.peerHost, port: configuration.peerPort, on: eventLoop, limits: .peer,
                tls: configuration.tls.map { TLSListening($0, admitting: .nodes) }, logger: configuration.logger
            ) { _ in PeerService(owner: host.value, nextID: { host.value.nextUpstreamID() }) }
        } catch {
            try? await pool.shutdownGracefully()
            throw .bind(host: configuration.peerHost, port: configuration.peerPort, reason: "\(error)")
        }
        let replicator = Replicator(
            configuration: configuration, eventLoop: eventLoop, host: host, directory: peers, history: history,
            pool: pool, server: server)
        await replicator.begin(directory)
        return replicator
    }

    /// Recovery may take minutes, and keeps its thread busy: whoever waits for it hears of other things meanwhile.
    private static func open(
        _ configuration: ReplicatorConfiguration, on pool: NIOThreadPool
    ) async throws(ReplicatorError) -> ReplicaDirectory {
        let (results, told) = AsyncStream.makeStream(of: Result<ReplicaDirectory, ReplicatorError>.self)
        pool.submit { _ in
            told.yield(Result { () throws(ReplicatorError) in try ReplicaDirectory.open(configuration) })
        }
        guard let result = await results.first(where: { _ in true }) else { throw .cancelled }
        return try result.get()
    }

    private init(
        configuration: ReplicatorConfiguration, eventLoop: any EventLoop, host: NIOLoopBoundBox<ReplicatorHost>,
        directory: PeerDirectory, history: EventLog, pool: NIOThreadPool, server: HTTP2Server
    ) {
        self.directory = directory
        self.history = history
        self.configuration = configuration
        self.eventLoop = eventLoop
        self.host = host
        self.pool = pool
        self.peerServer = server
        self.queue = AppendQueue(
            entryCountMax: configuration.limits.pendingAppendCountMax,
            byteCountMax: configuration.limits.uncommittedByteCountMax)
        self.failure = eventLoop.makePromise(of: Void.self)
    }

    private func begin(_ directory: ReplicaDirectory) async {
        if directory.isBlank {
            let task = Task {
                let driver = FormingDriver(
                    configuration: self.configuration, directory: directory, pool: self.pool, eventLoop: self.eventLoop)
                guard let formed = await driver.run() else { return }
                await self.run(formed)
            }
            self.forming.withLock { $0 = task }
        } else {
            await self.run(directory)
        }
    }

    private func run(_ directory: ReplicaDirectory) async {
        let host = self.host
        let failure = self.failure
        do {
            try await self.eventLoop.submit {
                try host.value.run(directory) { failure.fail($0) }
            }.get()
        } catch {
            self.configuration.logger.critical(
                "cannot take up the log; this node stops",
                metadata: ["error": "\(error)", "hint": "holdfast verify says what is wrong with the directory"])
            failure.fail(error)
        }
    }

    /// The port that was bound, where the configuration asked for any.
    package var peerPort: Int { self.peerServer.port }

    /// Fails when the log fails: the process has to end then, and recovery decides what was kept.
    package var failed: EventLoopFuture<Void> { self.failure.futureResult }

    // MARK: Appends

    /// Appends records, or changes the log's own state, through this node, if it leads.
    ///
    /// - Parameters:
    ///   - context: Of the span that its spans are below; `nil` for an append that nobody traces.
    ///   - reply: Called exactly once, on the Replicator's event loop: with the outcome once a quorum
    ///     vouches for it, or with a failure that says whether the append may yet be applied.
    package func append(
        _ submission: Submission, in context: ServiceContext? = nil, reply: @escaping AppendQueue.Reply
    ) {
        switch self.queue.admit(.init(submission: submission, context: context, reply: reply)) {
        case .joined: return
        case .first:
            let host = self.host
            let queue = self.queue
            self.eventLoop.execute { host.value.propose(queue.drain()) }
        case .refused(let failure): self.eventLoop.execute { reply(.failure(failure)) }
        }
    }

    package func append(_ submission: Submission) async throws(AppendFailure) -> AppendOutcome {
        let result = await withCheckedContinuation { continuation in
            self.append(submission) { continuation.resume(returning: $0) }
        }
        return try result.get()
    }

    // MARK: Reads

    /// Reads committed records.
    ///
    /// - Parameters:
    ///   - limit: The most records.
    ///   - byteCountMax: No further record is begun once keys and values add up to this.
    /// - Throws: ``ReadFailure``.
    package func read(
        from start: ReadStart, limit: Int, byteCountMax: Int, consistency: ReadConsistency
    ) async throws(ReadFailure) -> ReadPage {
        do {
            let host = self.host
            let confirms = consistency == .linearizable
            let access = try await self.eventLoop.flatSubmit { host.value.readAccess(confirms: confirms) }.get()
            if let next = access.atLeast, access.watch.view.nextIndex < next {
                // A quorum has it; this node's own disk is the slower one.
                let last = LogIndex(next.rawValue - 1)
                let timeout = self.configuration.limits.commitTimeoutMilliseconds
                guard await access.watch.wait(for: last, timeoutMilliseconds: timeout) else {
                    throw ReadFailure.unavailable
                }
            }
            let view = access.watch.view
            let first = access.store.firstIndex
            let index =
                switch start {
                case .first: first
                case .tail: view.nextIndex
                case .index(let index): index
                case .last(let count):
                    max(first, LogIndex(view.nextIndex.rawValue - min(count, view.nextIndex.rawValue)))
                }
            // Not before: without a quorum, what is asked above takes long.
            let seat = try await self.seats.take()
            var page = try await self.pool.runIfActive {
                try PageReader(store: access.store).page(
                    from: index, limit: limit, byteCountMax: byteCountMax, through: view)
            }
            // A small page needs none: whoever holds one may ask for the next.
            if page.isLarge { page.seat = seat }
            if !access.isWhole, page.isUpToDate {
                guard !page.records.isEmpty else { throw ReadFailure.incomplete(next: view.nextIndex) }
                page.isUpToDate = false
            }
            return page
        } catch let failure as ReadFailure {
            throw failure
        } catch {
            throw .unavailable
        }
    }

    /// The index that the next record takes, as a quorum confirms now; this node itself may hold less.
    ///
    /// - Throws: ``ReadFailure``.
    package func confirmedNextIndex() async throws(ReadFailure) -> LogIndex {
        let host = self.host
        do {
            let access = try await self.eventLoop.flatSubmit { host.value.readAccess(confirms: true) }.get()
            return access.atLeast ?? access.watch.view.nextIndex
        } catch {
            throw error as? ReadFailure ?? .unavailable
        }
    }

    /// The durable cursors, once a quorum has confirmed how far this node must be.
    ///
    /// - Throws: ``ReadFailure``.
    package func cursors() async throws(ReadFailure) -> CursorTable {
        let host = self.host
        do { return try await self.eventLoop.flatSubmit { host.value.readCursors() }.get() } catch {
            throw error as? ReadFailure ?? .unavailable
        }
    }

    /// Waits until the record at `index` is committed.
    ///
    /// - Returns: `false` after the time-out or when the node stops.
    package func waitForCommit(of index: LogIndex, timeoutMilliseconds: UInt64) async -> Bool {
        let host = self.host
        let access = try? await self.eventLoop.flatSubmit { host.value.readAccess(confirms: false) }.get()
        guard let access else { return false }
        return await access.watch.wait(for: index, timeoutMilliseconds: timeoutMilliseconds)
    }

    /// How far this node's segments are committed.
    package func segments() async throws(ReadFailure) -> StoredSegments {
        try await self.reading { StoredSegments($0, through: $1) }
    }

    /// Committed frames as they stand in this node's files, their checksums checked.
    ///
    /// - Parameter byteCountMax: One frame is read in any case.
    package func frames(at position: Position, byteCountMax: Int) async throws(ReadFailure) -> CommittedFrames {
        try await self.reading {
            try CommittedFrames(at: position, byteCountMax: byteCountMax, of: $0, through: $1.position)
        }
    }

    /// Does `body` on the pool, with what this node knows to be committed.
    private func reading<Value: Sendable>(
        _ body: @escaping @Sendable (LogStore, CommitWatch.View) throws -> Value
    ) async throws(ReadFailure) -> Value {
        let host = self.host
        do {
            let access = try await self.eventLoop.flatSubmit { host.value.readAccess(confirms: false) }.get()
            return try await self.pool.runIfActive { try body(access.store, access.watch.view) }
        } catch {
            throw error as? ReadFailure ?? .unavailable
        }
    }

    // MARK: Life

    /// Gives leadership to another node; appends that come meanwhile are held, and answered with its name.
    ///
    /// - Parameter node: `nil` is the follower that is furthest.
    /// - Returns: Who leads now.
    package func handOver(to node: NodeID? = nil) async throws(TransferFailure) -> NodeID {
        let host = self.host
        let result = await withCheckedContinuation { continuation in
            self.eventLoop.execute { host.value.transfer(to: node) { continuation.resume(returning: $0) } }
        }
        return try result.get()
    }

    /// Changes the membership, if this node leads.
    package func change(_ change: MembershipChange) async throws(MembershipFailure) -> Membership {
        let host = self.host
        let result = await withCheckedContinuation { continuation in
            self.eventLoop.execute { host.value.change(change) { continuation.resume(returning: $0) } }
        }
        return try result.get()
    }

    /// Has the leader trim the log: whole sealed segments go, on every node, that hold only records before `index`.
    ///
    /// The newest sealed segment stays in any case. Asking again is safe, also when the outcome is not known.
    ///
    /// - Returns: Where the log begins then, once a quorum has the decision on disk.
    package func trimmed(before index: LogIndex) async throws(TrimFailure) -> TrimOutcome {
        let host = self.host
        let result = await withCheckedContinuation { continuation in
            self.eventLoop.execute { host.value.trim(before: index) { continuation.resume(returning: $0) } }
        }
        return try result.get()
    }

    /// From now on other nodes that ask how this one is are told what `source` says.
    package func tellPeers(_ source: @escaping StatusSource) {
        let host = self.host
        self.eventLoop.execute { host.value.statusSource = source }
    }

    /// Where each member is found.
    package var peers: [ClusterPeer] { self.directory.peers }

    /// Where the configuration says that nodes are, members or not.
    var configuredPeers: [ClusterPeer] { self.configuration.peers }

    /// What a node says of itself.
    func identity(of peer: ClusterPeer) async -> IdentityAnswer {
        let client = HTTP2Client(
            on: self.eventLoop, limits: .peer, tls: self.configuration.calling(peer.node),
            logger: self.configuration.logger)
        let answer = await IdentityAnswer.of(peer, client)
        await client.shutdown(grace: .zero)
        return answer
    }

    /// Changes how this node works from now on.
    package func tune(_ tuning: ReplicatorTuning) {
        let host = self.host
        self.eventLoop.execute { host.value.tune(tuning) }
    }

    package func status() async -> ReplicatorStatus {
        let host = self.host
        do {
            return try await self.eventLoop.submit { host.value.status() }.get()
        } catch {
            preconditionFailure("the event loop ended before the Replicator: \(error)")
        }
    }

    /// The segments of the log, in order.
    package func listedSegments() async -> [ReplicatorSegment] {
        let host = self.host
        return (try? await self.eventLoop.submit { host.value.listedSegments() }.get()) ?? []
    }

    /// Returns once the event loop has come to it.
    package func reachLoop() async { try? await self.eventLoop.submit {}.get() }

    /// Returns once the thread that writes and syncs has come to it; at once where there is none yet.
    package func reachDisk() async {
        let host = self.host
        let disk = try? await self.eventLoop.submit { host.value.diskThread }.get()
        await disk?.reach()
    }

    /// Answers whoever waits, lets go of peers, syncs the log and marks a clean stop.
    package func shutdown() async {
        self.forming.withLock { $0 }?.cancel()
        for entry in self.queue.close() { entry.reply(.failure(.shuttingDown(mayBeApplied: false))) }
        let host = self.host
        let stopping = try? await self.eventLoop.submit { host.value.stop() }.get()
        await self.peerServer.shutdown(grace: .milliseconds(200))
        await stopping?.beginning?.value
        await stopping?.disk?.stop()
        try? await self.pool.shutdownGracefully()
        self.failure.succeed()
    }
}

/// Why a node could not start, or had to stop.
package enum ReplicatorError: Error, Sendable {
    case log(LogError)
    case opening(ReplicaOpeningError)
    case bind(host: String, port: Int, reason: String)
    /// Nobody wants it any more.
    case cancelled
}
