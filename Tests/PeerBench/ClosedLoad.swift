import HoldfastClient
import NIOCore
import NIOPosix

/// Callers that append, wait for the acknowledgement, and append again; for measuring what a system takes.
///
/// Callbacks on one event loop all the way: the load shares its machine with what it measures. Nothing is retried: an append
/// that fails is counted.
struct ClosedLoad: Sendable {
    var system: PeerSystem
    var server: ServerAddress
    var clients: Int
    /// The callers are spread over them.
    var connections: Int
    /// Appends of each caller under way at once.
    var inFlight: Int
    /// Records of each append.
    var batch: Int
    /// Bytes of each record.
    var size: Int
    var warmUp: TimeAmount
    /// When it ends, unless it has sent ``recordsMax`` before.
    var duration: TimeAmount
    var recordsMax: Int
    /// Holdfast only: each caller has a session, which is how it takes batches, and many on their way.
    var isSession: Bool

    func run() async throws -> LoadReport {
        if self.isSession { return await self.runSessions() }
        let eventLoop = MultiThreadedEventLoopGroup.singleton.next()
        let appenders = (0..<self.connections).map { _ in self.system.connect(to: self.server, on: eventLoop) }
        let connected = try await EventLoopFuture.whenAllSucceed(appenders, on: eventLoop).get()
        let finished = eventLoop.makePromise(of: LoadReport.self)
        eventLoop.execute {
            ClosedLoadRun(self, connected.map(\.value), eventLoop, finished).start()
        }
        return try await finished.futureResult.get()
    }

    private func runSessions() async -> LoadReport {
        let started = LoadClock()
        let result = await SessionLoad(
            server: self.server, sessions: self.clients, inFlight: self.inFlight, batch: self.batch, size: self.size,
            data: .letters, warmUpMilliseconds: UInt64(self.warmUp.nanoseconds / 1_000_000),
            durationMilliseconds: UInt64(self.duration.nanoseconds / 1_000_000)
        ).run()
        return LoadReport(
            latenciesMicroseconds: result.latenciesMicroseconds, batch: self.batch, seconds: result.seconds,
            failures: result.failureCount, failure: result.failure, usage: started.usage)
    }
}

/// Event loop only.
private final class ClosedLoadRun {
    private let load: ClosedLoad
    private let appenders: [any Appender]
    private let eventLoop: any EventLoop
    private let finished: EventLoopPromise<LoadReport>
    /// Sent in turn.
    private let records: [ByteBuffer]
    private let clock = LoadClock()
    private let measuredFrom: NIODeadline
    private let end: NIODeadline
    private var latencies: [UInt32] = []
    private var failures = 0
    private var failure: String?
    private var sent = 0
    private var active = 0

    init(
        _ load: ClosedLoad, _ appenders: [any Appender], _ eventLoop: any EventLoop,
        _ finished: EventLoopPromise<LoadReport>
    ) {
        self.load = load
        self.appenders = appenders
        self.eventLoop = eventLoop
        self.finished = finished
        let count = max(load.batch, LoadData.differentCount(byteCount: load.size) / load.batch * load.batch)
        self.records = LoadData.letters.records(count, byteCount: load.size).map { ByteBuffer(bytes: $0) }
        self.measuredFrom = .now() + load.warmUp
        self.end = self.measuredFrom + load.duration
        self.latencies.reserveCapacity(1 << 20)
    }

    func start() {
        self.active = self.load.clients * self.load.inFlight
        for caller in 0..<self.active { self.append(self.appenders[caller % self.appenders.count]) }
    }

    private func append(_ appender: any Appender) {
        let sentAt = NIODeadline.now()
        guard sentAt < self.end, self.sent < self.load.recordsMax else { return self.stop() }
        let first = self.sent % self.records.count
        self.sent += self.load.batch
        appender.append(self.records[first..<first + self.load.batch]) { failure in
            self.told(failure, appender, sentAt)
        }
    }

    private func told(_ failure: AppendFailure?, _ appender: any Appender, _ sentAt: NIODeadline) {
        guard let failure else {
            let now = NIODeadline.now()
            if sentAt >= self.measuredFrom, now <= self.end {
                self.latencies.append(UInt32(clamping: (now - sentAt).nanoseconds / 1_000))
            }
            return self.append(appender)
        }
        self.failures += 1
        self.failure = self.failure ?? failure.text
        // A load must not spin on errors.
        let (run, appender) = (
            NIOLoopBound(self, eventLoop: self.eventLoop), NIOLoopBound(appender, eventLoop: self.eventLoop)
        )
        self.eventLoop.scheduleTask(in: .milliseconds(20)) { run.value.append(appender.value) }
    }

    private func stop() {
        self.active -= 1
        guard self.active == 0 else { return }
        for appender in self.appenders { appender.close() }
        self.finished.succeed(
            LoadReport(
                latenciesMicroseconds: self.latencies, batch: self.load.batch,
                seconds: Double(self.load.duration.nanoseconds) / 1e9, failures: self.failures,
                failure: self.failure, usage: self.clock.usage))
    }
}
