import HoldfastClient
import HoldfastNode
import LogModel

/// Appends that begin when they are due, at a rate, and go on through failovers.
///
/// Rule: a latency counts from the moment at which the append was due. Why: a load that sends the next one when the last
/// one is answered does not ask while nobody answers, and so a second of silence looks like one slow append instead of a
/// thousand (coordinated omission). Each caller is a producer: what has to be sent again is never stored twice.
struct PacedAppendRun {
    /// How long after the end appends that were due before it may still begin.
    private static let graceNanoseconds: UInt64 = 15_000_000_000
    private static let timeoutMilliseconds: UInt64 = 20_000
    private static let progressInterval = Duration.milliseconds(250)
    /// Records of one page when all is read back.
    private static let pageRecordCount = 4_000

    var servers: [ServerAddress]
    var access: ClientAccess
    var schedule: PacedSchedule
    var milliseconds: UInt64
    /// Clients of their own, among which the callers are spread.
    var connections: Int
    var size: Int
    var data: LoadData
    var isVerified: Bool
    var console: Console

    private var callers: Int { Int(self.schedule.callers) }

    func run() async throws -> PacedAppendTally.Result {
        let client = self.client()
        _ = try await ClusterProbe(client: client).leader()
        let first = try await self.tail(client)
        let tally = PacedAppendTally(producers: self.callers)
        var result = try await self.append(into: tally)
        if self.isVerified { result.findings = try await self.readBack(tally, from: first, client) }
        await client.shutdown()
        return result
    }

    private func client() -> HoldfastClient {
        HoldfastClient(servers: self.servers, access: self.access, timeoutMilliseconds: Self.timeoutMilliseconds)
    }

    // MARK: Appending

    /// The load itself; whoever wants to know what is in the log afterwards reads it back.
    func append(into tally: PacedAppendTally) async throws -> PacedAppendTally.Result {
        let clients = (0..<self.connections).map { _ in self.client() }
        _ = try await ClusterProbe(client: clients[0]).leader()
        let values = self.data.records(LoadData.differentCount(byteCount: self.size), byteCount: self.size)
        let began = MonotonicClock.now
        await withTaskGroup(of: Void.self) { group in
            for caller in 0..<self.callers {
                let producer = clients[caller % clients.count].makeProducer()
                group.addTask { await self.append(caller, producer, values, tally, began: began) }
            }
            let watching = Task { await self.watch(tally, began: began) }
            await group.waitForAll()
            watching.cancel()
        }
        self.console.endProgress()
        let ended = MonotonicClock.now
        var result = tally.result
        // When the last one gave up that had to be waited for, the others had nothing to append any more.
        let due = began + self.milliseconds * 1_000_000
        result.silenceNanoseconds = tally.silenceNanoseconds(from: began, through: min(due, ended))
        result.seconds = Double(ended - began) / 1e9
        result.notBegun = Int(self.schedule.count) - result.acknowledged - result.refused - result.unknown
        for client in clients { await client.shutdown() }
        return result
    }

    private func append(
        _ caller: Int, _ producer: Producer, _ values: [[UInt8]], _ tally: PacedAppendTally, began: UInt64
    ) async {
        let latest = began + self.milliseconds * 1_000_000 + Self.graceNanoseconds
        var turn: UInt64 = 0
        while let offset = self.schedule.due(turn, of: caller) {
            turn += 1
            let sequence = Int(turn)
            let due = began + offset
            let now = MonotonicClock.now
            if now < due {
                try? await Task.sleep(for: .nanoseconds(Int64(due - now)), tolerance: .zero)
            }
            let sent = MonotonicClock.now
            guard sent < latest, !Task.isCancelled else { return }
            let value = Self.value(tally.label(caller, sequence), values[(caller + sequence) % values.count])
            do throws(ClientError) {
                let receipt = try await producer.append([Record(value: value)]) { _ in tally.retried() }
                tally.acknowledged(caller, sequence, at: receipt.first, due: due, sent: sent)
            } catch {
                tally.failed(caller, sequence, error)
            }
        }
    }

    /// `bytes`, with the label at their beginning.
    private static func value(_ label: String, _ bytes: [UInt8]) -> Bytes {
        let label = Array(label.utf8)
        return (label + bytes[min(label.count, bytes.count)...])[...]
    }

    private func watch(_ tally: PacedAppendTally, began: UInt64) async {
        while !Task.isCancelled {
            let seconds = Double(MonotonicClock.now - began) / 1e9
            self.console.progress("\(seconds.rounded(1)) s: \(tally.words)")
            try? await Task.sleep(for: Self.progressInterval)
        }
    }

    // MARK: Reading back

    private func tail(_ client: HoldfastClient) async throws(CommandFailure) -> LogIndex {
        do throws(ClientError) {
            return try await client.read(from: .tail, limit: 1).next
        } catch {
            throw CommandFailure(error)
        }
    }

    /// - Parameter first: Where the log begins, or began before the load.
    func readBack(
        _ tally: PacedAppendTally, from first: LogIndex, _ client: HoldfastClient
    ) async throws(CommandFailure) -> AppendLedger.Findings {
        var ledger = tally.ledger
        var next = first
        defer { self.console.endProgress() }
        do throws(ClientError) {
            while true {
                let page = try await client.read(from: .index(next), limit: Self.pageRecordCount)
                for record in page.records { ledger.read(record.record.value) }
                next = page.next
                if page.isUpToDate { return ledger.result }
                self.console.progress("reading back: index \(next) of \(page.lastIndex)")
            }
        } catch {
            throw CommandFailure(error)
        }
    }
}
