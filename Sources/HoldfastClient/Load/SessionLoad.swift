import LogModel
import NIOCore

/// A load of sessions, for measuring: each keeps some batches on their way, and sends another for each acknowledgement.
///
/// Callbacks all the way; batches are encoded once, and sent in turn. A session that fails is not replaced: its failure is
/// counted.
package struct SessionLoad: Sendable {
    package var server: ServerAddress
    package var access: ClientAccess
    package var sessions: Int
    /// Batches of each session on their way at once.
    package var inFlight: Int
    /// Records of each batch, and bytes of each record.
    package var batch: Int
    package var size: Int
    package var data: LoadData
    package var warmUp: TimeAmount
    package var duration: TimeAmount

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

    /// - Returns: With a latency for each batch.
    package func run() async -> AppendLoad.Result {
        let batches = self.batches
        let measuredFrom = NIODeadline.now() + self.warmUp
        let end = measuredFrom + self.duration
        var result = AppendLoad.Result()
        result.seconds = Double(self.duration.nanoseconds) / 1e9
        await withTaskGroup(of: AppendLoad.Result.self) { group in
            for _ in 0..<self.sessions {
                group.addTask { await self.measure(batches, from: measuredFrom, to: end) }
            }
            for await part in group {
                result.latenciesMicroseconds += part.latenciesMicroseconds
                result.failureCount += part.failureCount
                result.failure = result.failure ?? part.failure
            }
        }
        return result
    }

    private var batches: [ByteBuffer] {
        let count = LoadData.differentCount(byteCount: self.batch * self.size)
        let records = self.data.records(count * self.batch, byteCount: self.size).map { Record(value: $0[...]) }
        return (0..<count).map { index in
            SessionBatch.encode(Array(records[index * self.batch..<(index + 1) * self.batch]))
        }
    }

    private func measure(
        _ batches: [ByteBuffer], from measuredFrom: NIODeadline, to end: NIODeadline
    ) async -> AppendLoad.Result {
        let stream: NIOLoopBound<SessionStream>
        do {
            stream = try await SessionStream.open(
                at: self.server, access: self.access, producer: .random(in: 1 ... .max), inFlightMax: self.inFlight)
        } catch {
            var result = AppendLoad.Result()
            result.failureCount = 1
            result.failure = "\(error)"
            return result
        }
        return await withCheckedContinuation { continuation in
            stream.eventLoop.execute {
                let run = SessionRun(stream.value, batches: batches, measuredFrom: measuredFrom, end: end) {
                    continuation.resume(returning: $0)
                }
                for _ in 0..<self.inFlight { run.send(at: .now()) }
            }
        }
    }
}

/// One session of a load. Event loop only.
private final class SessionRun {
    private let stream: SessionStream
    private let batches: [ByteBuffer]
    private var sentCount = 0
    private let measuredFrom: NIODeadline
    private let end: NIODeadline
    private let done: (AppendLoad.Result) -> Void
    private var result = AppendLoad.Result()
    private var activeCount = 0

    init(
        _ stream: SessionStream, batches: [ByteBuffer], measuredFrom: NIODeadline, end: NIODeadline,
        done: @escaping (AppendLoad.Result) -> Void
    ) {
        self.stream = stream
        self.batches = batches
        self.measuredFrom = measuredFrom
        self.end = end
        self.done = done
    }

    func send(at sent: NIODeadline) {
        self.activeCount += 1
        self.sentCount += 1
        self.stream.submit(self.batches[self.sentCount % self.batches.count]) { self.told($0, sent: sent) }
    }

    private func told(_ answer: Result<AppendReceipt, ClientError>, sent: NIODeadline) {
        self.activeCount -= 1
        let now = NIODeadline.now()
        switch answer {
        case .success:
            if sent >= self.measuredFrom, now <= self.end {
                self.result.latenciesMicroseconds.append(UInt32(clamping: (now - sent).nanoseconds / 1000))
            }
            if now < self.end { return self.send(at: now) }
        case .failure(let error):
            self.result.failureCount += 1
            self.result.failure = self.result.failure ?? error.description
        }
        guard self.activeCount == 0 else { return }
        self.stream.finish { _ in self.done(self.result) }
    }
}
