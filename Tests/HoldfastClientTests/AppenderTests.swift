import LogModel
import ServiceLifecycle
import Synchronization
import Testing

@testable import HoldfastClient

@Suite(.timeLimit(.minutes(1))) struct AppenderTests {
    /// A leader's log: each line of a request is a record, as `AppendBody` writes plain ones.
    private final class Leader: Sendable {
        private let lines = Mutex<[String]>([])
        private let requestCount = Atomic(0)
        let server = Mutex<ScriptedServer?>(nil)
        /// Answers of its own to the first requests.
        let scripted: [ScriptedServer.Answer]

        init(_ scripted: [ScriptedServer.Answer] = []) {
            self.scripted = scripted
        }

        var log: [String] { self.lines.withLock { $0 } }
        var requests: [ScriptedServer.Request] { self.server.withLock { $0?.appends ?? [] } }

        func answer(_ body: String) -> ScriptedServer.Answer {
            let number = self.requestCount.add(1, ordering: .relaxed).newValue
            if number <= self.scripted.count { return self.scripted[number - 1] }
            let new = body.split(separator: "\n").map(String.init)
            return self.lines.withLock { lines in
                let first = UInt64(lines.count + 1)
                lines += new
                return .status(201, Self.receipt(first, first + UInt64(new.count) - 1).json)
            }
        }

        static func receipt(_ first: UInt64, _ last: UInt64) -> AppendReceipt {
            AppendReceipt(
                first: LogIndex(first), last: LogIndex(last), position: Position(0, 64), term: Term(1),
                durability: .persisted, nodes: 2, voters: 3, isDuplicate: false)
        }
    }

    private static func problem(_ status: Int, _ applied: ProblemDocument.Applied = .no) -> ProblemDocument {
        ProblemDocument(title: "", status: status, code: "CODE", detail: "", hint: "", applied: applied)
    }

    private func with(
        _ leader: Leader, timeoutMilliseconds: UInt64 = 20_000, _ body: (HoldfastClient) async throws -> Void
    ) async throws {
        let box = AddressBox()
        let server = ScriptedServer { request, _ in
            request.head.method == .post
                ? leader.answer(request.body) : ScriptedServer.cluster(leader: box.address)
        }
        let bound = try await server.start()
        box.address = bound
        leader.server.withLock { $0 = server }
        let client = HoldfastClient(
            servers: [bound], timeoutMilliseconds: timeoutMilliseconds, attemptTimeoutMilliseconds: 20_000)
        do { try await body(client) } catch { Issue.record(error) }
        await client.shutdown()
        await server.stop()
    }

    @Test func `records of many tasks share batches, and each gets its own index`() async throws {
        let leader = Leader()
        try await self.with(leader) { client in
            let appender = client.makeAppender()
            let indexes = try await withThrowingTaskGroup(of: (Int, AppendReceipt).self) { group in
                for number in 0..<200 {
                    group.addTask { (number, try await appender.append(Record("record \(number)"))) }
                }
                return try await group.reduce(into: [Int: AppendReceipt]()) { $0[$1.0] = $1.1 }
            }
            let log = leader.log
            #expect(log.count == 200)
            for (number, receipt) in indexes {
                #expect(receipt.first == receipt.last)
                #expect(log[Int(receipt.first.rawValue) - 1] == "record \(number)")
            }
            #expect(leader.requests.count < 100, "\(leader.requests.count) requests")
        }
    }

    @Test func `what one caller sends keeps its order, through a queue that is full`() async throws {
        let leader = Leader()
        try await self.with(leader) { client in
            var options = AppenderOptions()
            options.recordsMax = 7
            options.waitingRecordsMax = 10
            let appender = client.makeAppender(options)
            var pending: [PendingReceipt] = []
            for number in 1...300 { pending.append(try await appender.send(Record("\(number)"))) }
            for (offset, pending) in pending.enumerated() {
                let receipt = try await pending.receipt
                #expect(receipt.first == LogIndex(UInt64(offset + 1)))
            }
            #expect(leader.log == (1...300).map { "\($0)" })
        }
    }

    @Test func `a batch waits for others as long as it may, and no longer than until it is whole`() async throws {
        let leader = Leader()
        try await self.with(leader) { client in
            var options = AppenderOptions()
            options.linger = .seconds(50)
            options.recordsMax = 3
            let appender = client.makeAppender(options)
            var pending: [PendingReceipt] = []
            for number in 1...3 { pending.append(try await appender.send(Record("\(number)"))) }
            let receipt = try await pending[2].receipt
            #expect(receipt.first == LogIndex(3) && leader.requests.count == 1)
            // The end lets nothing linger.
            let last = try await appender.send(Record("4"))
            await appender.shutdown()
            let lastReceipt = try await last.receipt
            #expect(lastReceipt.first == LogIndex(4))
            await #expect(throws: ClientError.ended("the appender was shut down")) {
                try await appender.append(Record("5"))
            }
        }
    }

    @Test func `a batch is sent again under its sequence, and its callers do not notice`() async throws {
        let leader = Leader([.reset, .status(503, Self.problem(503).json)])
        try await self.with(leader) { client in
            let appender = client.makeAppender()
            let receipt = try await appender.append(Record("x"))
            #expect(receipt.first == LogIndex(1))
            #expect(leader.requests.map { $0.head.headerFields[.holdfastSequence] } == ["1", "1", "1"])
        }
    }

    @Test func `a batch that fails tells each of its callers whether it is applied, and the next one goes on`()
        async throws
    {
        let refused = Self.problem(409)
        let leader = Leader([.status(409, refused.json), .status(409, Self.problem(409, .unknown).json)])
        try await self.with(leader) { client in
            let appender = client.makeAppender()
            let first = await #expect(throws: ClientError.self) { try await appender.append(Record("one")) }
            #expect(first == .refused(refused) && first?.applied == .no)
            let second = await #expect(throws: ClientError.self) { try await appender.append(Record("two")) }
            #expect(second?.applied == .unknown)
            let third = try await appender.append(Record("three"))
            #expect(third.first == LogIndex(1) && leader.log == ["three"])
        }
    }

    @Test func `a cancelled caller takes its record back while it waits`() async throws {
        let leader = Leader()
        try await self.with(leader) { client in
            var options = AppenderOptions()
            options.linger = .seconds(50)
            let appender = client.makeAppender(options)
            let caller = Task { try await appender.append(Record("taken back")) }
            caller.cancel()
            await #expect(throws: ClientError.ended("cancelled before it was sent")) { try await caller.value }
            let kept = try await appender.send(Record("kept"))
            await appender.shutdown()
            let receipt = try await kept.receipt
            #expect(receipt.first == LogIndex(1) && leader.log == ["kept"])
        }
    }

    @Test func `records whose turn does not come in time are not applied`() async throws {
        let leader = Leader(Array(repeating: .status(503, Self.problem(503).json), count: 10_000))
        try await self.with(leader, timeoutMilliseconds: 100) { client in
            var options = AppenderOptions()
            options.recordsMax = 1
            let appender = client.makeAppender(options)
            var pending: [PendingReceipt] = []
            for number in 1...200 { pending.append(try await appender.send(Record("\(number)"))) }
            let started = ContinuousClock.now
            for pending in pending {
                let error = await #expect(throws: ClientError.self) { try await pending.receipt }
                #expect(error?.applied == .no)
            }
            // Not one time-out after the other, which would be twenty seconds.
            #expect(started.duration(to: .now) < .seconds(15))
        }
    }

    @Test func `a service that is shut down flushes what waits, and then ends`() async throws {
        let leader = Leader()
        try await self.with(leader) { client in
            var options = AppenderOptions()
            options.linger = .seconds(50)
            let appender = client.makeAppender(options)
            let group = ServiceGroup(services: [client, appender], logger: client.logger)
            let running = Task { try await group.run() }
            let pending = try await appender.send(Record("flushed"))
            await group.triggerGracefulShutdown()
            try await running.value
            let receipt = try await pending.receipt
            #expect(receipt.first == LogIndex(1) && leader.log == ["flushed"])
            let error = await #expect(throws: ClientError.self) { try await client.status() }
            #expect(error?.applied == .no)
        }
    }

    @Test func `a service that is cancelled says that what waits is not applied`() async throws {
        let leader = Leader()
        try await self.with(leader) { client in
            var options = AppenderOptions()
            options.linger = .seconds(50)
            let appender = client.makeAppender(options)
            let running = Task { try await appender.run() }
            let pending = try await appender.send(Record("x"))
            running.cancel()
            await #expect(throws: ClientError.ended("the appender was cancelled")) { try await pending.receipt }
            try await running.value
            #expect(leader.log.isEmpty)
        }
    }
}
