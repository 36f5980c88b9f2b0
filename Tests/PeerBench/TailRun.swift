import HoldfastClient
import NIOCore
import NIOPosix

/// Appends at one node at a steady rate, and times when a reader at another node has each record.
///
/// Every record begins with when it was due, and a latency counts from that: appending late is late, too.
struct TailRun: Sendable {
    var system: PeerSystem
    var appendServer: ServerAddress
    var readServer: ServerAddress
    var recordsPerSecond: Int
    /// Bytes of each record; the first 16 are the time.
    var size: Int
    var warmUp: TimeAmount
    var duration: TimeAmount

    static let stampByteCount = 16
    /// How long the last records may take.
    private static let grace = TimeAmount.seconds(5)

    struct Report: Encodable, Sendable {
        /// From when it was due until the reader had it.
        var delivery: LatencyPercentiles
        /// From when it was due until it was acknowledged.
        var acknowledgement: LatencyPercentiles
        var delivered: Int
        /// Acknowledged, and not delivered before the end.
        var missing: Int
        /// Appends that were refused, lost, or not answered before the end.
        var failures: Int
        var failure: String?
        var driverCores: Double

        private enum CodingKeys: String, CodingKey {
            case delivery, acknowledgement, delivered, missing, failures, failure
            case driverCores = "driver_cores"
        }
    }

    func run() async throws -> Report {
        let eventLoop = MultiThreadedEventLoopGroup.singleton.next()
        let appender = try await self.system.connect(to: self.appendServer, on: eventLoop).get()
        let run = try await eventLoop.submit {
            NIOLoopBound(TailState(self, appender.value, eventLoop), eventLoop: eventLoop)
        }.get()
        try await Follower.follow(self.system, at: self.readServer, on: eventLoop) {
            run.value.delivered($0)
        }.get()
        let finished = eventLoop.makePromise(of: Report.self)
        eventLoop.execute { run.value.start(finished) }
        return try await finished.futureResult.get()
    }

    /// Event loop only.
    private final class TailState {
        private let run: TailRun
        private let appender: any Appender
        private let eventLoop: any EventLoop
        private let filling: ByteBuffer
        private let meter = WindowMeter()
        private var began = NIODeadline.now()
        private var sent = 0
        private var answered = 0
        private var acknowledged = 0
        private var deliveries = 0
        private var delivery: [UInt32] = []
        private var acknowledgement: [UInt32] = []
        private var failures = 0
        private var failure: String?
        private var finished: EventLoopPromise<Report>?

        init(_ run: TailRun, _ appender: any Appender, _ eventLoop: any EventLoop) {
            self.run = run
            self.appender = appender
            self.eventLoop = eventLoop
            let letters = LoadData.letters.records(1, byteCount: run.size - TailRun.stampByteCount)
            self.filling = ByteBuffer(bytes: letters[0])
        }

        private var wanted: Int {
            let nanoseconds = (self.run.warmUp + self.run.duration).nanoseconds
            return Int(nanoseconds / 1_000 * Int64(self.run.recordsPerSecond) / 1_000_000)
        }

        private func due(_ number: Int) -> NIODeadline {
            self.began + .nanoseconds(Int64(number) * 1_000_000_000 / Int64(self.run.recordsPerSecond))
        }

        func start(_ finished: EventLoopPromise<Report>) {
            self.finished = finished
            self.began = .now()
            let meter = self.meter
            LoadWindow(warmUp: self.run.warmUp, duration: self.run.duration)
                .watch(on: self.eventLoop) { meter.reached($0) }
            self.send()
        }

        private func send() {
            while self.sent < self.wanted, self.due(self.sent) <= .now() {
                let due = self.due(self.sent)
                self.sent += 1
                var record = ByteBuffer()
                record.reserveCapacity(self.run.size)
                record.writeInteger(due.uptimeNanoseconds)
                record.writeRepeatingByte(0, count: TailRun.stampByteCount - 8)
                record.writeImmutableBuffer(self.filling)
                self.appender.append([record]) { self.told($0, due) }
            }
            let state = NIOLoopBound(self, eventLoop: self.eventLoop)
            if self.sent < self.wanted {
                self.eventLoop.scheduleTask(deadline: self.due(self.sent)) { state.value.send() }
            } else {
                self.eventLoop.scheduleTask(in: TailRun.grace) { state.value.finish() }
            }
        }

        private func told(_ failure: AppendFailure?, _ due: NIODeadline) {
            self.answered += 1
            if let failure {
                self.failures += 1
                self.failure = self.failure ?? failure.text
            } else {
                self.acknowledged += 1
                self.note(due, in: \.acknowledgement)
            }
            self.finishIfComplete()
        }

        func delivered(_ value: ByteBuffer) {
            guard let stamp = value.getInteger(at: value.readerIndex, as: UInt64.self) else { return }
            let due = NIODeadline.uptimeNanoseconds(stamp)
            // What an earlier load left, that a system delivers late.
            guard due >= self.began, due <= .now() else { return }
            self.deliveries += 1
            self.note(due, in: \.delivery)
            self.finishIfComplete()
        }

        private func note(_ due: NIODeadline, in list: ReferenceWritableKeyPath<TailState, [UInt32]>) {
            guard due >= self.began + self.run.warmUp else { return }
            self[keyPath: list].append(UInt32(clamping: (NIODeadline.now() - due).nanoseconds / 1_000))
        }

        private func finishIfComplete() {
            if self.answered == self.wanted, self.deliveries >= self.acknowledged { self.finish() }
        }

        private func finish() {
            guard let finished else { return }
            self.finished = nil
            self.meter.reached(.end)
            if self.answered < self.sent {
                self.failures += self.sent - self.answered
                self.failure = self.failure ?? "no answer in \(TailRun.grace.nanoseconds / 1_000_000_000) s"
            }
            finished.succeed(
                Report(
                    delivery: LatencyPercentiles(self.delivery),
                    acknowledgement: LatencyPercentiles(self.acknowledgement), delivered: self.delivery.count,
                    missing: max(0, self.acknowledged - self.deliveries), failures: self.failures,
                    failure: self.failure, driverCores: self.meter.cores))
        }
    }
}
