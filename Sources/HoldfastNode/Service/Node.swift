import Glibc
import HTTP2Transport
import HoldfastAdmin
import HoldfastClient
import LogModel
import Logging
import NIOCore
import NIOPosix
import ReplicaCore
import Replicator
import ServiceLifecycle
import SystemPackage
import Tracing
import UnixSignals

/// Why a node did not start or did not go on. Nothing is bound and nothing runs then.
package enum NodeError: Error, Sendable {
    /// The log could not be opened, or the peer listener not bound.
    case replicator(ReplicatorError)
    /// The certificates cannot be used.
    case security(String)
    /// The file of tokens cannot be used.
    case tokens(String)
    /// The client listener could not be bound; `reason` is the system's.
    case clientListener(ServerAddress, reason: String)
    case adminListener(ServerAddress, reason: String)
    /// What is at `trace.output` could not be opened; `reason` is the system's.
    case traceOutput(TraceOutput, reason: String)
    /// The log failed while the node ran: it has stopped, and recovery decides what was kept.
    case stopped(reason: String)
}

extension NodeError {
    fileprivate init(_ error: AdminError) {
        switch error {
        case .bind(let address, let reason): self = .adminListener(address, reason: reason)
        }
    }
}

/// A running node: the Replicator on one event loop, its clients on another.
///
/// Start: log, peer listener, client listener, admin listener. Stop (SIGTERM, SIGINT): leadership is handed over, then
/// clients are let go, then the log, so that what was accepted is answered; the admin listener tells of it to the end. A
/// second signal lets clients go at once. While the log is being recovered there is nothing to hand over or to answer, and
/// the node stops at once. systemd hears of each step.
package struct Node: Service {
    private let configuration: NodeConfiguration
    private let reload: ConfigurationReload
    private let notifier: ServiceNotifier
    /// Where spans go; `nil` where nobody asked for them, and then no append pays for them.
    private let spans: SpanOutput?
    private let logger: Logger

    private init(
        _ configuration: NodeConfiguration, reload: ConfigurationReload, notifier: ServiceNotifier,
        spans: SpanOutput?, logger: Logger
    ) {
        self.configuration = configuration
        self.reload = reload
        self.notifier = notifier
        self.spans = spans
        self.logger = logger
    }

    /// Runs until a signal says stop. SIGHUP has the file read again.
    ///
    /// - Parameters:
    ///   - report: Where `configuration` is from.
    package static func run(
        _ configuration: NodeConfiguration, _ report: ConfigurationReport, from input: ConfigurationInput
    ) async throws {
        // A reader of stderr that goes away must not end the node.
        signal(SIGPIPE, SIG_IGN)
        let journal = Journal(format: configuration.logFormat, node: configuration.node)
        let resting = Task { await journal.rest() }
        let result: Result<Void, any Error>
        do {
            result = .success(try await self.run(configuration, report, from: input, journal: journal))
        } catch {
            result = .failure(error)
        }
        resting.cancel()
        await journal.finish()
        try result.get()
    }

    private static func run(
        _ configuration: NodeConfiguration, _ report: ConfigurationReport, from input: ConfigurationInput,
        journal: Journal
    ) async throws {
        let level = SharedLogLevel(configuration.logLevel)
        var logger = Logger(label: "holdfast") { _ in SharedLevelHandler(JournalHandler(journal), level: level) }
        logger[metadataKey: "node"] = "\(configuration.node)"
        let notifier = ServiceNotifier(environment: input.environment)
        DescriptorLimit.raise(for: configuration.clientConnections, admin: configuration.adminBounds, logger: logger)
        let reload = await ConfigurationReload(
            input, running: report.values, level: level, notifier: notifier, logger: logger)
        let spans = try self.spanOutput(configuration, logger: logger)
        let group = ServiceGroup(
            services: [Node(configuration, reload: reload, notifier: notifier, spans: spans, logger: logger)],
            gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        let result: Result<Void, any Error>
        do { result = .success(try await group.run()) } catch { result = .failure(error) }
        await spans?.finish()
        try result.get()
    }

    private static func spanOutput(
        _ configuration: NodeConfiguration, logger: Logger
    ) throws(NodeError) -> SpanOutput? {
        guard let place = configuration.traceOutput else { return nil }
        do throws(Errno) {
            return try SpanOutput(place, node: configuration.node, logger: logger)
        } catch {
            throw .traceOutput(place, reason: "\(error)")
        }
    }

    package func run() async throws {
        let loops = MultiThreadedEventLoopGroup(numberOfThreads: NodeLimits.eventLoopCount)
        // The same one twice where there is but one.
        let (replicatorLoop, clientLoop) = (loops.next(), loops.next())
        do {
            try await self.serve(replicatorLoop: replicatorLoop, clientLoop: clientLoop)
        } catch {
            try? await loops.shutdownGracefully()
            throw error
        }
        try await loops.shutdownGracefully()
    }

    private func serve(replicatorLoop: any EventLoop, clientLoop: any EventLoop) async throws(NodeError) {
        // Before the first signal is waited for, since the second may come right behind it. The service group has trapped
        // both already, so that neither ends the process.
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint)
        let signs = LifeSigns(self.notifier)
        let starting = signs.starting(on: clientLoop)
        defer { starting.cancel() }
        let security = try SecurityWatch(
            self.configuration.security, node: self.configuration.node, logger: self.logger)
        guard let replicator = try await self.recover(security, on: replicatorLoop) else { return }
        let forwarder = LeaderForwarder(eventLoop: clientLoop, tls: security.tls, logger: self.logger)
        let refusals = RefusalCounts()
        let observer = NodeObserver(
            replicator, self.configuration, forwarder: forwarder, security: security, refusals: refusals,
            spans: self.spans, clientLoop: clientLoop, logger: self.logger)
        replicator.tellPeers { JSONDocument.encode(await observer.status(eventsAfter: $0)) }
        let api = ClientAPI(
            service: replicator, node: self.configuration.node, forwarder: forwarder, security: security,
            status: { await observer.status(eventsAfter: $0) }, refusals: refusals, tracer: self.tracer,
            on: clientLoop, logger: self.logger)
        let listen = self.configuration.clientListen
        let server: HTTP2Server
        do {
            server = try await HTTP2Server.bind(
                host: listen.host, port: listen.port, on: clientLoop,
                limits: self.configuration.clientConnections.limits,
                tls: security.tls.map { TLSListening($0, admitting: self.configuration.security.clients) },
                logger: self.logger
            ) { _ in
                ClientRequestHandler(api: api)
            }
        } catch {
            await replicator.shutdown()
            throw .clientListener(listen, reason: "\(error)")
        }
        observer.opened(server)
        let admin: AdminServer
        let door = LocalDoor(
            ServerAddress(host: listen.host, port: server.port),
            having: DoorConnections.Bounds(of: self.configuration.clientConnections),
            tls: security.tls.map { TLSCalling($0, expecting: .node(self.configuration.node)) },
            bounds: self.configuration.adminBounds, on: clientLoop, logger: self.logger)
        do throws(NodeError) {
            admin = try await self.administer(observer, door, security, on: clientLoop)
        } catch {
            await server.shutdown(grace: .zero)
            await replicator.shutdown()
            throw error
        }
        self.logger.notice(
            "serving",
            metadata: [
                "client": "\(listen)", "peer": "\(self.configuration.peerListen)",
                "admin": "\(self.configuration.adminListen)",
                "certificate": "\(security.tls?.name?.description ?? "none")",
            ])
        starting.cancel()
        self.notifier.tell(.ready)
        let living = Task { await self.live(replicator, clientLoop: clientLoop, signs) }
        let reloading = Task {
            await self.reload.run(on: replicator) {
                security.reload()
                self.spans?.reopen()
            }
        }
        let watching = Task { await security.run() }
        defer { watching.cancel() }
        let sampling = Task { await observer.run() }
        let failure = await Self.stopped(or: replicator.failed)
        living.cancel()
        sampling.cancel()
        reloading.cancel()
        self.notifier.tell(.stopping)
        self.logger.notice("stopping")
        observer.drain()
        let hurrying = Task { await self.hurry(server, on: signals, isAsked: failure == nil) }
        defer { hurrying.cancel() }
        if failure == nil { await self.handOver(replicator) }
        self.logger.info("letting clients go", metadata: ["count": "\(server.connectionCount)"])
        await server.shutdown(grace: ShutdownGrace.time)
        await forwarder.shutdown()
        await replicator.shutdown()
        await admin.shutdown()
        await door.shutdown()
        // They ask the loops, which end next.
        await living.value
        await sampling.value
        if let failure { throw .stopped(reason: "\(failure)") }
        self.logger.notice("stopped")
    }

    /// Recovers the log and listens for peers.
    ///
    /// - Returns: `nil` when a signal says stop while the log is being recovered: that is left where it is.
    private func recover(_ security: SecurityWatch, on loop: any EventLoop) async throws(NodeError) -> Replicator? {
        let configuration = self.replicatorConfiguration(security)
        let started = await cancelWhenGracefulShutdown { () async -> Result<Replicator, ReplicatorError> in
            do throws(ReplicatorError) {
                return .success(try await Replicator.start(configuration, eventLoop: loop))
            } catch {
                return .failure(error)
            }
        }
        switch started {
        case .success(let replicator): return replicator
        case .failure(.cancelled):
            self.notifier.tell(.stopping)
            self.logger.notice(
                "stopped while the log was being recovered",
                metadata: ["hint": "nothing is lost: the next start recovers it"])
            return nil
        case .failure(let error): throw .replicator(error)
        }
    }

    private func administer(
        _ node: NodeObserver, _ door: LocalDoor, _ security: SecurityWatch, on loop: any EventLoop
    ) async throws(NodeError) -> AdminServer {
        // Where only a certificate lets in, this node's own must not let in whoever has none.
        let isClosed = self.configuration.security.clients == .certified && security.tokens == nil
        do throws(AdminError) {
            return try await AdminServer.start(
                self.configuration.adminListen, node: node, door: isClosed ? nil : door, names: self.names,
                authority: security.tokens.map(TokenAuthority.init) ?? OpenToAll(),
                bounds: self.configuration.adminBounds, on: loop, logger: self.logger)
        } catch {
            throw NodeError(error)
        }
    }

    private func live(_ replicator: Replicator, clientLoop: any EventLoop, _ signs: LifeSigns) async {
        await signs.running {
            await replicator.reachLoop()
            await replicator.reachDisk()
            try? await clientLoop.submit {}.get()
        } words: {
            await replicator.status().words
        }
    }

    /// Whoever asks a second time does not want to wait for clients.
    ///
    /// - Parameter isAsked: The first signal is the one for which the node stops.
    private func hurry(_ server: HTTP2Server, on signals: UnixSignalsSequence, isAsked: Bool) async {
        for await signal in signals.dropFirst(isAsked ? 1 : 0) {
            self.logger.notice("asked again to stop: clients are let go at once", metadata: ["signal": "\(signal)"])
            return await server.shutdown(grace: .zero)
        }
    }

    /// By which browsers may call this node: as its own configuration does.
    private var names: Set<String> {
        let own = self.configuration.peers.first { $0.node == self.configuration.node }
        let hosts = [own?.clientHost, own?.peerHost, self.configuration.clientListen.host]
        return Set(hosts.compactMap { $0?.lowercased() })
    }

    /// Before clients are let go: appends that come meanwhile are taken to the next leader.
    private func handOver(_ replicator: Replicator) async {
        // A node that is alone has nobody to hand over to.
        guard replicator.peers.count > 1 else { return }
        do throws(TransferFailure) {
            let leader = try await replicator.handOver()
            self.logger.notice("leadership handed over", metadata: ["leader": "\(leader)"])
        } catch {
            if case .notLeader = error { return }
            self.logger.warning(
                "leadership not handed over",
                metadata: [
                    "reason": "\(error)",
                    "hint": "see with holdfast explain that the others have elected a leader",
                ])
        }
    }

    /// Returns when a signal says stop, or with what the log failed with.
    private static func stopped(or failed: EventLoopFuture<Void>) async -> (any Error)? {
        let (failures, continuation) = AsyncStream.makeStream(of: (any Error).self)
        failed.whenFailure { continuation.yield($0) }
        return await withGracefulShutdownHandler {
            await failures.first { _ in true }
        } onGracefulShutdown: {
            continuation.finish()
        }
    }

    private var tracer: (any Tracer)? { self.spans.map { NodeTracer($0) } }

    private func replicatorConfiguration(_ security: SecurityWatch) -> ReplicatorConfiguration {
        var result = ReplicatorConfiguration(
            node: self.configuration.node, dataDirectory: FilePath(self.configuration.dataDirectory),
            peers: self.configuration.peers, peerHost: self.configuration.peerListen.host,
            peerPort: self.configuration.peerListen.port, logger: self.logger)
        result.tls = security.tls
        result.tracer = self.tracer
        result.isJoining = self.configuration.isJoining
        result.policy = self.configuration.policy
        result.segmentByteCountMax = self.configuration.segmentByteCountMax
        result.scrubBytesPerSecond = self.configuration.scrubBytesPerSecond
        result.compression = self.configuration.compression
        result.heartbeatIntervalMilliseconds = self.configuration.heartbeatMilliseconds
        result.electionTimeoutMilliseconds = self.configuration.electionTimeoutMilliseconds
        return result
    }
}
