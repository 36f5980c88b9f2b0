import HoldfastClient
import NIOCore
import NIOPosix

/// Callers that append, wait for the acknowledgement, and append again; for measuring what a system takes.
///
/// Callbacks on one event loop all the way, for sessions, too: the load shares its machine with what it measures. Nothing is
/// retried: an append that fails is counted.
struct ClosedLoad: Sendable {
    /// Connections that are opened at once, before the time begins: thousands would measure the server's backlog.
    private static let openingMax = 64

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
    /// When it ends, unless ``recordsMax`` are acknowledged before.
    var duration: TimeAmount
    var recordsMax: Int
    /// Holdfast only: each caller has a session, which is how it takes batches, and many on their way.
    var isSession: Bool

    func run() async throws -> LoadReport {
        let eventLoop = MultiThreadedEventLoopGroup.singleton.next()
        if self.isSession { return await self.runSessions(on: eventLoop) }
        let connected = try await self.connect(on: eventLoop)
        let finished = eventLoop.makePromise(of: LoadReport.self)
        eventLoop.execute {
            ClosedLoadRun(self, connected.map(\.value), eventLoop, finished).start()
        }
        return try await finished.futureResult.get()
    }

    private func connect(on eventLoop: any EventLoop) async throws -> [NIOLoopBound<any Appender>] {
        var connected: [NIOLoopBound<any Appender>] = []
        while connected.count < self.connections {
            let opening = (0..<min(Self.openingMax, self.connections - connected.count)).map { _ in
                self.system.connect(to: self.server, on: eventLoop)
            }
            connected += try await EventLoopFuture.whenAllSucceed(opening, on: eventLoop).get()
        }
        return connected
    }

    private func runSessions(on eventLoop: any EventLoop) async -> LoadReport {
        let meter = WindowMeter()
        var load = SessionLoad(
            server: self.server, sessions: self.clients, inFlight: self.inFlight, batch: self.batch, size: self.size,
            data: .letters, warmUpMilliseconds: UInt64(self.warmUp.nanoseconds / 1_000_000),
            durationMilliseconds: UInt64(self.duration.nanoseconds / 1_000_000))
        load.eventLoop = eventLoop
        load.reached = { meter.reached($0) }
        var result = await load.run()
        meter.reached(.end)
        if !result.isPersisted {
            result.failureCount += 1
            result.failure = result.failure ?? "acknowledged, but not persisted"
        }
        return LoadReport(
            recordsPerSecond: Double(result.acknowledgedCount * self.batch) / result.seconds,
            latency: LatencyPercentiles(result.latenciesMicroseconds), failures: result.failureCount,
            failure: result.failure, driverCores: meter.cores)
    }
}

/// Event loop only.
///
///     caller: append --acknowledged--> append ... --the window has ended--> stopped
///                  \--failed--> pause ---^
///
/// It is over when all callers have stopped, or ``LoadWindow/grace`` behind the end: what is not answered by then has failed.
private final class ClosedLoadRun {
    /// A load must not spin on errors.
    private static let pause = TimeAmount.milliseconds(20)

    private let load: ClosedLoad
    private let appenders: [any Appender]
    private let eventLoop: any EventLoop
    private let finished: EventLoopPromise<LoadReport>
    /// Sent in turn.
    private let records: [ByteBuffer]
    private let meter = WindowMeter()
    private let window: LoadWindow
    private var latencies: [UInt32] = []
    /// Appends that were acknowledged within the window, and in all.
    private var acknowledgedInWindow = 0
    private var acknowledged = 0
    private var failures = 0
    private var failure: String?
    private var lastAcknowledgement: NIODeadline?
    /// Records.
    private var sent = 0
    private var active = 0
    private var isFinished = false

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
        self.window = LoadWindow(warmUp: load.warmUp, duration: load.duration)
        self.latencies.reserveCapacity(1 << 20)
    }

    func start() {
        let meter = self.meter
        self.window.watch(on: self.eventLoop) { meter.reached($0) }
        let run = NIOLoopBound(self, eventLoop: self.eventLoop)
        self.eventLoop.scheduleTask(deadline: self.window.end + LoadWindow.grace) { run.value.giveUp() }
        self.active = self.load.clients * self.load.inFlight
        for caller in 0..<self.active { self.append(self.appenders[caller % self.appenders.count]) }
    }

    private func append(_ appender: any Appender) {
        let sentAt = NIODeadline.now()
        // What failed does not count: as many are acknowledged as were asked for.
        let isEnough = self.sent - self.failures * self.load.batch >= self.load.recordsMax
        guard sentAt < self.window.end, !isEnough else { return self.stop() }
        let first = self.sent % self.records.count
        self.sent += self.load.batch
        appender.append(self.records[first..<first + self.load.batch]) { failure in
            self.told(failure, appender, sentAt)
        }
    }

    private func told(_ failure: AppendFailure?, _ appender: any Appender, _ sentAt: NIODeadline) {
        guard !self.isFinished else { return }
        guard let failure else {
            let now = NIODeadline.now()
            self.acknowledged += 1
            self.lastAcknowledgement = now
            if self.window.contains(now) { self.acknowledgedInWindow += 1 }
            if self.window.contains(sentAt) {
                self.latencies.append(UInt32(clamping: (now - sentAt).nanoseconds / 1_000))
            }
            return self.append(appender)
        }
        self.failures += 1
        self.failure = self.failure ?? failure.text
        let (run, appender) = (
            NIOLoopBound(self, eventLoop: self.eventLoop), NIOLoopBound(appender, eventLoop: self.eventLoop)
        )
        self.eventLoop.scheduleTask(in: Self.pause) { run.value.append(appender.value) }
    }

    private func stop() {
        self.active -= 1
        if self.active == 0 { self.finish() }
    }

    private func giveUp() {
        guard !self.isFinished else { return }
        self.failures += self.active
        self.failure = self.failure ?? "no answer in \(LoadWindow.grace.nanoseconds / 1_000_000_000) s"
        self.finish()
    }

    private func finish() {
        guard !self.isFinished else { return }
        self.isFinished = true
        self.meter.reached(.end)
        for appender in self.appenders { appender.close() }
        self.finished.succeed(
            LoadReport(
                recordsPerSecond: self.recordsPerSecond, latency: LatencyPercentiles(self.latencies),
                acknowledged: self.acknowledged * self.load.batch, failures: self.failures, failure: self.failure,
                driverCores: self.meter.cores))
    }

    /// Of the window; where the load ended with its records, of the window's part through the last acknowledgement.
    private var recordsPerSecond: Double {
        let isComplete = self.acknowledged * self.load.batch >= self.load.recordsMax
        let end = isComplete ? min(self.lastAcknowledgement ?? self.window.end, self.window.end) : self.window.end
        // All of them came while it warmed up.
        guard end > self.window.begin else { return 0 }
        let seconds = Double((end - self.window.begin).nanoseconds) / 1e9
        return Double(self.acknowledgedInWindow * self.load.batch) / seconds
    }
}
