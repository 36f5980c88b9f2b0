import HTTP2Transport
import HTTPTypes
import Logging
import NIOCore
import NIOPosix

/// A load of appends, for measuring: many clients, each with some requests in flight, as fast as answers come.
///
/// Callbacks all the way, so that the load costs little beside what it measures. Nothing is retried: an append that
/// fails is counted. Before the time begins, the warm-up included, each client has opened its connection with one append, a
/// few clients at a time: thousands that connect at once would measure the listener's backlog.
package struct AppendLoad: Sendable {
    /// Clients that connect at once.
    package static let openingMax = 64

    package var server: ServerAddress
    package var access: ClientAccess
    /// Connections.
    package var clients: Int
    /// Requests of each client under way at once.
    package var inFlight: Int
    /// Bytes of each record.
    package var size: Int
    package var data: LoadData
    package var warmUp: TimeAmount
    package var duration: TimeAmount

    package init(
        server: ServerAddress, access: ClientAccess = ClientAccess(), clients: Int, inFlight: Int, size: Int,
        data: LoadData = .letters,
        warmUpMilliseconds: UInt64,
        durationMilliseconds: UInt64
    ) {
        self.server = server
        self.access = access
        self.clients = clients
        self.inFlight = inFlight
        self.size = size
        self.data = data
        self.warmUp = .milliseconds(Int64(warmUpMilliseconds))
        self.duration = .milliseconds(Int64(durationMilliseconds))
    }

    package struct Result: Sendable {
        /// From sending to the acknowledgement, of every append that was sent within the window and acknowledged at all.
        package var latenciesMicroseconds: [UInt32] = []
        /// Appends that were acknowledged within the window: over ``seconds``, the rate.
        package var acknowledgedCount = 0
        package var failureCount = 0
        /// What the first failure said.
        package var failure: String?
        /// Of the window.
        package var seconds = 0.0
        /// `false` once a session was told that an append is not on the disks of a quorum.
        package var isPersisted = true

        mutating func acknowledged(sent: NIODeadline, now: NIODeadline, _ window: LoadWindow) {
            if window.contains(now) { self.acknowledgedCount += 1 }
            guard window.contains(sent) else { return }
            self.latenciesMicroseconds.append(UInt32(clamping: (now - sent).nanoseconds / 1_000))
        }

        mutating func add(_ part: Result) {
            self.latenciesMicroseconds += part.latenciesMicroseconds
            self.acknowledgedCount += part.acknowledgedCount
            self.failureCount += part.failureCount
            self.failure = self.failure ?? part.failure
            self.isPersisted = self.isPersisted && part.isPersisted
        }
    }

    private var bodies: [ByteBuffer] {
        let count = LoadData.differentCount(byteCount: self.size)
        return self.data.records(count, byteCount: self.size).map { ByteBuffer(bytes: $0) }
    }

    package func run() async -> Result {
        let bodies = self.bodies
        let loops = MultiThreadedEventLoopGroup.singleton
        // Where nodes share few processors with their load, one loop wakes less often than two.
        let only = System.coreCount < 4 ? loops.next() : nil
        let workers = (0..<self.clients).map { _ in
            Worker(load: self, bodies: bodies, eventLoop: only ?? loops.next())
        }
        await Self.open(workers)
        let window = LoadWindow(warmUp: self.warmUp, duration: self.duration)
        var result = Result()
        for worker in workers { worker.start(window) }
        for worker in workers { result.add(await worker.result()) }
        result.seconds = Double(self.duration.nanoseconds) / 1e9
        return result
    }

    private static func open(_ workers: [Worker]) async {
        await withTaskGroup(of: Void.self) { group in
            for (number, worker) in workers.enumerated() {
                if number >= self.openingMax { await group.next() }
                group.addTask { await worker.open() }
            }
        }
    }
}

/// One client of a load.
private final class Worker: Sendable {
    private struct State {
        var result = AppendLoad.Result()
        var active = 0
        var sentCount = 0
    }

    private let client: HTTP2Client
    private let address: HTTP2Address
    private let request: HTTPRequest
    /// Sent in turn.
    private let bodies: [ByteBuffer]
    private let inFlight: Int
    private let state: NIOLoopBoundBox<State>
    private let finished: EventLoopPromise<AppendLoad.Result>

    init(load: AppendLoad, bodies: [ByteBuffer], eventLoop: any EventLoop) {
        self.client = HTTP2Client(
            on: eventLoop, tls: load.access.tls, logger: Logger(label: "load") { _ in SwiftLogNoOpLogHandler() })
        self.address = HTTP2Address(host: load.server.host, port: load.server.port)
        self.request = HTTPRequest(
            method: .post, scheme: nil, authority: load.server.description, path: "/v1/records",
            headerFields: load.access.signed([.contentType: "application/octet-stream"]))
        self.bodies = bodies
        self.inFlight = load.inFlight
        self.state = .makeBoxSendingValue(State(), eventLoop: eventLoop)
        self.finished = eventLoop.makePromise()
    }

    /// Appends once, so that the connection stands; a failure counts as any other does.
    func open() async {
        await withCheckedContinuation { continuation in
            self.append(self.bodies[0]) { answer in
                if let reason = Self.failure(answer) { self.note(reason) }
                continuation.resume()
            }
        }
    }

    func start(_ window: LoadWindow) {
        self.client.eventLoop.execute {
            self.state.value.active = self.inFlight
            for _ in 0..<self.inFlight { self.send(window) }
        }
    }

    func result() async -> AppendLoad.Result {
        let result = try? await self.finished.futureResult.get()
        await self.client.shutdown()
        return result ?? AppendLoad.Result()
    }

    private func send(_ window: LoadWindow) {
        let sent = NIODeadline.now()
        guard sent < window.end else { return self.stop() }
        self.append(self.nextBody()) { answer in self.received(answer, sent: sent, window) }
    }

    private func append(
        _ body: ByteBuffer, reply: @escaping @Sendable (Swift.Result<HTTP2Answer, HTTP2ClientError>) -> Void
    ) {
        self.client.execute(
            self.request, body: body, to: self.address, timeout: .seconds(10), bodyByteCountMax: 64 << 10, reply: reply)
    }

    private func nextBody() -> ByteBuffer {
        self.state.value.sentCount += 1
        return self.bodies[self.state.value.sentCount % self.bodies.count]
    }

    private func received(
        _ answer: Swift.Result<HTTP2Answer, HTTP2ClientError>, sent: NIODeadline, _ window: LoadWindow
    ) {
        guard let reason = Self.failure(answer) else {
            self.state.value.result.acknowledged(sent: sent, now: .now(), window)
            return self.send(window)
        }
        self.note(reason)
        // A load must not spin on errors.
        self.client.eventLoop.scheduleTask(in: .milliseconds(20)) { self.send(window) }
    }

    /// - Returns: `nil` for an acknowledgement.
    private static func failure(_ answer: Swift.Result<HTTP2Answer, HTTP2ClientError>) -> String? {
        switch answer {
        case .success(let answer): answer.head.status == .created ? nil : String(buffer: answer.body)
        case .failure(let error): "\(error)"
        }
    }

    private func note(_ reason: String) {
        self.state.value.result.failureCount += 1
        self.state.value.result.failure = self.state.value.result.failure ?? reason
    }

    private func stop() {
        self.state.value.active -= 1
        if self.state.value.active == 0 { self.finished.succeed(self.state.value.result) }
    }
}
