import LogModel
import NIOCore

/// A load of sessions, for measuring: each keeps some batches on their way, and sends another for each acknowledgement.
///
/// Callbacks all the way; each batch is encoded when it is sent, as an ``AppendSession`` does. A session that fails is not
/// replaced: its failure is counted. All are open before the time begins, the warm-up included; ``AppendLoad/openingMax`` are
/// opened at a time.
package struct SessionLoad: Sendable {
    /// Each session is a producer, and the log remembers so many: with one more, another one's next batch would be refused
    /// (`PRODUCER_EXPIRED`).
    package static let sessionsMax = 256

    package var server: ServerAddress
    package var access: ClientAccess
    /// 1 ... ``sessionsMax``.
    package var sessions: Int
    /// Batches of each session on their way at once.
    package var inFlight: Int
    /// Records of each batch, and bytes of each record.
    package var batch: Int
    package var size: Int
    package var data: LoadData
    package var warmUp: TimeAmount
    package var duration: TimeAmount
    /// Where all sessions run; `nil` spreads them over all there are.
    package var eventLoop: (any EventLoop)?
    /// Told of the window's edges once, on an event loop.
    package var reached: @Sendable (LoadWindow.Edge) -> Void = { _ in }

    package init(
        server: ServerAddress, access: ClientAccess = ClientAccess(), sessions: Int, inFlight: Int, batch: Int,
        size: Int, data: LoadData,
        warmUpMilliseconds: UInt64, durationMilliseconds: UInt64
    ) {
        self.server = server
        self.access = access
        self.sessions = sessions
        self.inFlight = inFlight
        self.batch = batch
        self.size = size
        self.data = data
        self.warmUp = .milliseconds(Int64(warmUpMilliseconds))
        self.duration = .milliseconds(Int64(durationMilliseconds))
    }

    /// - Returns: With a latency for each batch. When no session was opened, there was no window, and nobody was told of one.
    package func run() async -> AppendLoad.Result {
        let batches = self.batches
        var result = AppendLoad.Result()
        result.seconds = Double(self.duration.nanoseconds) / 1e9
        var streams: [NIOLoopBound<SessionStream>] = []
        for opened in await self.open() {
            switch opened {
            case .success(let stream): streams.append(stream)
            case .failure(let error):
                result.failureCount += 1
                result.failure = result.failure ?? "a session was not opened: \(error)"
            }
        }
        guard let first = streams.first else { return result }
        let window = LoadWindow(warmUp: self.warmUp, duration: self.duration)
        window.watch(on: first.eventLoop, self.reached)
        await withTaskGroup(of: AppendLoad.Result.self) { group in
            for stream in streams { group.addTask { await self.measure(stream, batches, window) } }
            for await part in group { result.add(part) }
        }
        return result
    }

    /// Sent in turn.
    private var batches: [[Record]] {
        let count = LoadData.differentCount(byteCount: self.batch * self.size)
        let records = self.data.records(count * self.batch, byteCount: self.size).map { Record(value: $0[...]) }
        return (0..<count).map { Array(records[$0 * self.batch..<($0 + 1) * self.batch]) }
    }

    private typealias Opened = Result<NIOLoopBound<SessionStream>, any Error>

    private func open() async -> [Opened] {
        await withTaskGroup(of: Opened.self) { group in
            var opened: [Opened] = []
            for number in 0..<self.sessions {
                if number >= AppendLoad.openingMax, let result = await group.next() { opened.append(result) }
                group.addTask {
                    do {
                        return .success(
                            try await SessionStream.open(
                                at: self.server, access: self.access, producer: .random(in: 1 ... .max),
                                inFlightMax: self.inFlight, on: self.eventLoop))
                    } catch {
                        return .failure(error)
                    }
                }
            }
            for await result in group { opened.append(result) }
            return opened
        }
    }

    private func measure(
        _ stream: NIOLoopBound<SessionStream>, _ batches: [[Record]], _ window: LoadWindow
    ) async -> AppendLoad.Result {
        await withCheckedContinuation { continuation in
            stream.eventLoop.execute {
                let run = SessionRun(stream.value, batches: batches, window: window) {
                    continuation.resume(returning: $0)
                }
                run.start(self.inFlight)
            }
        }
    }
}

/// One session of a load. Event loop only.
///
/// What is not answered at the end is waited for as long as a session endures silence.
private final class SessionRun {
    private let stream: SessionStream
    private let batches: [[Record]]
    private var sentCount = 0
    private let window: LoadWindow
    private let done: (AppendLoad.Result) -> Void
    private var result = AppendLoad.Result()
    private var activeCount = 0

    init(
        _ stream: SessionStream, batches: [[Record]], window: LoadWindow, done: @escaping (AppendLoad.Result) -> Void
    ) {
        self.stream = stream
        self.batches = batches
        self.window = window
        self.done = done
    }

    /// Counted before any is sent: of a session that has ended, each is answered before the next one.
    func start(_ inFlight: Int) {
        self.activeCount = inFlight
        for _ in 0..<inFlight { self.send(at: .now()) }
    }

    private func send(at sent: NIODeadline) {
        self.sentCount += 1
        let batch = SessionBatch.encode(self.batches[self.sentCount % self.batches.count])
        self.stream.submit(batch) { self.told($0, sent: sent) }
    }

    private func told(_ answer: Result<AppendReceipt, ClientError>, sent: NIODeadline) {
        let now = NIODeadline.now()
        switch answer {
        case .success(let receipt):
            self.result.acknowledged(sent: sent, now: now, self.window)
            if receipt.durability != .persisted { self.result.isPersisted = false }
            if now < self.window.end { return self.send(at: now) }
        case .failure(let error):
            self.result.failureCount += 1
            self.result.failure = self.result.failure ?? error.description
        }
        self.activeCount -= 1
        guard self.activeCount == 0 else { return }
        self.stream.finish { _ in self.done(self.result) }
    }
}
