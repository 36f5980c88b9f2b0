import Glibc
import HoldfastClient
import NIOCore
import NIOPosix

/// One client that appends steadily while the leader is struck, and how long nothing is acknowledged.
///
///     append, 1 in flight, one due every interval --(no answer in time, refused, connection lost)--> the next server, again
///
/// The rule is the same for every system: it begins at the leader, waits so long for an answer, and then asks the next
/// server in turn, which is to pass it on. Nothing of a system's own discovery is used.
///
/// A leader that is killed is told by its connections, which its kernel closes at once. One that is stopped keeps them, and says
/// nothing: as one whose machine lost its power, it is found by a time-out alone.
struct FailoverRun: Sendable {
    var system: PeerSystem
    /// The leader first.
    var servers: [ServerAddress]
    /// The leader's process.
    var leader: pid_t
    /// What it gets: SIGKILL, or SIGSTOP. A stopped one stays as it is when this ends.
    var signal: Int32
    var interval: TimeAmount
    /// For each answer, and for connecting.
    var timeout: TimeAmount

    /// Acknowledgements before the signal.
    private static let steadyCount = 100
    /// How long acknowledgements have to come again, none later than the time-out, before it is over.
    private static let settled = TimeAmount.milliseconds(1_500)
    private static let patience = TimeAmount.seconds(60)
    /// Before another server is asked that refuses at once.
    private static let pause = TimeAmount.milliseconds(2)

    struct Report: Encodable, Sendable {
        /// The longest time between two acknowledgements from just before the signal on.
        var gapMilliseconds: Double
        var acknowledged: Int
        var timedOut: Int
        var refused: Int
        /// What the last refusal said.
        var refusal: String?

        private enum CodingKeys: String, CodingKey {
            case acknowledged, refused, refusal
            case gapMilliseconds = "gap_ms"
            case timedOut = "timed_out"
        }
    }

    enum Failure: Error, CustomStringConvertible {
        case neverSteady(String)
        case neverAgain(String)
        case notStruck(pid_t)

        var description: String {
            switch self {
            case .neverSteady(let reason):
                "appends were not acknowledged before anything was done to the leader: \(reason)"
            case .neverAgain(let reason): "no acknowledgement in a minute after the leader was struck: \(reason)"
            case .notStruck(let process): "process \(process) takes no signal: it is gone, or another user's"
            }
        }
    }

    func run() async throws -> Report {
        let eventLoop = MultiThreadedEventLoopGroup.singleton.next()
        let finished = eventLoop.makePromise(of: Report.self)
        eventLoop.execute { State(self, eventLoop, finished).start() }
        return try await finished.futureResult.get()
    }

    /// Event loop only.
    private final class State {
        private let run: FailoverRun
        private let eventLoop: any EventLoop
        private let finished: EventLoopPromise<Report>
        private let record: ByteBuffer
        private var server = 0
        private var appender: (any Appender)?
        /// Of the attempt under way: an answer to an earlier one says nothing.
        private var attempt = 0
        private var deadline: Scheduled<Void>?
        private var began = NIODeadline.now()
        private var struckAt: NIODeadline?
        private var lastAcknowledgement = NIODeadline.now()
        private var gap = TimeAmount.zero
        /// Since when acknowledgements have come without a gap.
        private var steadySince: NIODeadline?
        private var report = Report(gapMilliseconds: 0, acknowledged: 0, timedOut: 0, refused: 0)
        private var isFinished = false

        init(_ run: FailoverRun, _ eventLoop: any EventLoop, _ finished: EventLoopPromise<Report>) {
            self.run = run
            self.eventLoop = eventLoop
            self.finished = finished
            self.record = ByteBuffer(bytes: LoadData.letters.records(1, byteCount: 100)[0])
        }

        func start() {
            self.began = .now()
            self.next()
        }

        /// Begins an attempt, where there is a connection; else connects first, in the same time.
        private func next() {
            guard !self.isFinished, !self.isOverdue() else { return }
            self.attempt += 1
            let attempt = self.attempt
            let state = NIOLoopBound(self, eventLoop: self.eventLoop)
            self.deadline = self.eventLoop.scheduleTask(in: self.run.timeout) { state.value.timedOut(attempt) }
            if let appender { return self.append(appender, attempt) }
            let milliseconds = UInt64(self.run.timeout.nanoseconds / 1_000_000)
            self.run.system.connect(
                to: self.run.servers[self.server], connectMilliseconds: milliseconds, on: self.eventLoop
            ).whenComplete { state.value.connected($0.map(\.value), attempt) }
        }

        private func connected(_ result: Result<any Appender, any Error>, _ attempt: Int) {
            switch result {
            case .success(let appender) where attempt == self.attempt && !self.isFinished:
                self.appender = appender
                self.append(appender, attempt)
            case .success(let appender): appender.close()
            case .failure(let error): self.refused("\(error)", attempt)
            }
        }

        private func append(_ appender: any Appender, _ attempt: Int) {
            appender.append([self.record]) { failure in
                if let failure { self.refused(failure.text, attempt) } else { self.acknowledged(attempt) }
            }
        }

        private func acknowledged(_ attempt: Int) {
            guard attempt == self.attempt else { return }
            self.deadline?.cancel()
            let now = NIODeadline.now()
            self.report.acknowledged += 1
            if self.struckAt != nil {
                let since = now - self.lastAcknowledgement
                self.gap = max(self.gap, since)
                if since > self.run.timeout || self.steadySince == nil { self.steadySince = now }
            }
            let last = self.lastAcknowledgement
            self.lastAcknowledgement = now
            if self.struckAt == nil, self.report.acknowledged >= FailoverRun.steadyCount {
                guard kill(self.run.leader, self.run.signal) == 0 else { return self.fail(.notStruck(self.run.leader)) }
                self.struckAt = .now()
            }
            if let struckAt, let steadySince, now - max(steadySince, struckAt) > FailoverRun.settled {
                return self.finish()
            }
            // One is due every interval; one that took longer is followed at once.
            self.attempt += 1
            self.again(at: max(now, last + self.run.interval))
        }

        private func refused(_ reason: String, _ attempt: Int) {
            guard attempt == self.attempt else { return }
            self.deadline?.cancel()
            self.report.refused += 1
            self.report.refusal = reason
            self.leave()
            self.again(at: .now() + FailoverRun.pause)
        }

        private func timedOut(_ attempt: Int) {
            guard attempt == self.attempt else { return }
            self.report.timedOut += 1
            self.leave()
            self.next()
        }

        /// Turns to the next server.
        private func leave() {
            self.attempt += 1
            self.appender?.close()
            self.appender = nil
            self.server = (self.server + 1) % self.run.servers.count
        }

        private func again(at time: NIODeadline) {
            let state = NIOLoopBound(self, eventLoop: self.eventLoop)
            self.eventLoop.scheduleTask(deadline: time) { state.value.next() }
        }

        private func isOverdue() -> Bool {
            let since = self.struckAt ?? self.began
            guard NIODeadline.now() - since > FailoverRun.patience else { return false }
            let reason = self.report.refusal ?? "no answer in time"
            self.fail(self.struckAt == nil ? .neverSteady(reason) : .neverAgain(reason))
            return true
        }

        private func fail(_ failure: Failure) {
            self.isFinished = true
            self.appender?.close()
            self.finished.fail(failure)
        }

        private func finish() {
            self.isFinished = true
            self.appender?.close()
            self.report.gapMilliseconds = Double(self.gap.nanoseconds) / 1e6
            self.finished.succeed(self.report)
        }
    }
}
