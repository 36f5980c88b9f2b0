import DiskIO
import HTTP2Transport
import Logging
import NIOCore
import NIOPosix
import ReplicaCore
import Tracing

/// A running member of the cluster: its log, its peers, and the part of both that others may ask for.
///
/// May be used from any thread. It starts *forming* when its directory is blank, serves nobody until the
/// cluster exists, and is *running* from then on.
package final class Replicator: Sendable {
    let configuration: ReplicatorConfiguration
    let eventLoop: any EventLoop
    let host: NIOLoopBoundBox<ReplicatorHost>
    private let queue: AppendQueue
    let pool: NIOThreadPool
    let seats = PageSeats()
    /// Peers come in here.
    package let peerServer: HTTP2Server
    let directory: PeerDirectory
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
                tls: configuration.tls.map { TLSListening($0, admitting: .nodes) },
                foreignHint: PeerService.strayHint, logger: configuration.logger
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
}
