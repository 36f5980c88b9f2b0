import LogModel
import NIOCore
import ServiceLifecycle
import Synchronization
import Testing

@testable import HoldfastClient

@Suite(.timeLimit(.minutes(1))) struct ConsumerTests {
    /// A log of `count` records with one cursor.
    private final class Log: Sendable {
        let count: UInt64
        /// Each position that was stored, in turn.
        let stored = Mutex<[CursorDocument]>([])
        let handled = Mutex<[UInt64]>([])
        /// How many attempts to store are answered with 503 first.
        let refusals: Atomic<Int>

        init(_ count: UInt64, refusals: Int = 0) {
            self.count = count
            self.refusals = Atomic(refusals)
        }

        var positions: [UInt64] { self.stored.withLock { $0.map(\.index) } }

        func answer(_ request: ScriptedServer.Request) -> ScriptedServer.Answer {
            if request.head.method == .put {
                if self.refusals.subtract(1, ordering: .relaxed).oldValue > 0 { return Self.problem(503, "NOT_LEADER") }
                struct Body: Decodable { var index: UInt64, hold: Bool }
                guard let body = JSONDocument.decode(Body.self, from: request.body.utf8),
                    let name = CursorName("billing")
                else { return Self.problem(400, "BAD_REQUEST") }
                let cursor = Cursor(index: LogIndex(body.index), holdsTrims: body.hold)
                self.stored.withLock { $0.append(CursorDocument(name, cursor)) }
                return .status(204, [])
            }
            if request.head.path?.contains("/cursors/") ?? false {
                return self.stored.withLock { $0.last }.map { .status(200, $0.json) }
                    ?? Self.problem(404, "NO_SUCH_CURSOR")
            }
            if request.head.path?.contains("follow=true") ?? false {
                return .frames(thenEnds: false) { $0 <= self.count ? ScriptedServer.frame($0) : nil }
            }
            var page = ScriptedServer.frame(1)
            let end = PageEnd(next: LogIndex(2), isUpToDate: false, firstIndex: .first, lastIndex: LogIndex(9))
            RecordFrame.encode(end, into: &page)
            return .status(200, Array(page.readableBytesView))
        }

        private static func problem(_ status: Int, _ code: String) -> ScriptedServer.Answer {
            .status(status, ProblemDocument(title: "", status: status, code: code, detail: "", hint: "").json)
        }
    }

    private struct Refused: Error {}

    private func with(_ log: Log, _ body: (HoldfastClient) async throws -> Void) async throws {
        let box = AddressBox()
        let server = ScriptedServer { request, _ in
            request.head.path == "/v1/cluster" ? ScriptedServer.cluster(leader: box.address) : log.answer(request)
        }
        let address = try await server.start()
        box.address = address
        let client = HoldfastClient(
            servers: [address], timeoutMilliseconds: 20_000, attemptTimeoutMilliseconds: 20_000)
        do { try await body(client) } catch { Issue.record(error) }
        await client.shutdown()
        await server.stop()
    }

    private func consumer(
        _ client: HoldfastClient, _ log: Log, failingAt failing: UInt64? = nil,
        _ change: (inout ConsumerOptions) -> Void
    ) throws -> Consumer {
        var options = ConsumerOptions()
        change(&options)
        return client.makeConsumer(of: try #require(CursorName("billing")), options) { record in
            if record.index.rawValue == failing { throw Refused() }
            log.handled.withLock { $0.append(record.index.rawValue) }
        }
    }

    private func until(_ condition: () -> Bool) async {
        while !condition() { try? await Task.sleep(for: .milliseconds(1)) }
    }

    @Test func `positions are stored every so many records, and the last one at a graceful shutdown`() async throws {
        let log = Log(25)
        try await self.with(log) { client in
            let consumer = try self.consumer(client, log) {
                $0.recordsMax = 10
                $0.interval = .seconds(50)
            }
            let group = ServiceGroup(services: [client, consumer], logger: client.logger)
            let running = Task { try await group.run() }
            await self.until { log.handled.withLock { $0.count } == 25 }
            #expect(log.positions == [1, 11, 21])
            await group.triggerGracefulShutdown()
            try await running.value
            #expect(log.positions == [1, 11, 21, 26])
        }
    }

    @Test func `a position is stored after a while when no more records come`() async throws {
        let log = Log(2)
        try await self.with(log) { client in
            let consumer = try self.consumer(client, log) {
                $0.interval = .milliseconds(20)
                $0.holdsTrims = true
            }
            let running = Task { try await consumer.run() }
            await self.until { log.positions.last == 3 }
            #expect(log.stored.withLock { $0.allSatisfy(\.hold) })
            running.cancel()
            try await running.value
        }
    }

    @Test func `a cancelled run stores what was handled`() async throws {
        let log = Log(5)
        try await self.with(log) { client in
            let consumer = try self.consumer(client, log) { $0.interval = .seconds(50) }
            let running = Task { try await consumer.run() }
            await self.until { log.handled.withLock { $0.count } == 5 }
            running.cancel()
            try await running.value
            #expect(log.positions == [1, 6])
        }
    }

    @Test func `a record whose handling fails is the first one of the next run`() async throws {
        let log = Log(5)
        try await self.with(log) { client in
            let failing = try self.consumer(client, log, failingAt: 4) { $0.interval = .seconds(50) }
            await #expect(throws: Refused.self) { try await failing.run() }
            #expect(log.positions == [1, 4])
            let running = Task { [consumer = try self.consumer(client, log) { $0.interval = .zero }] in
                try await consumer.run()
            }
            await self.until { log.positions.last == 6 }
            running.cancel()
            try await running.value
            #expect(log.handled.withLock { $0 } == [1, 2, 3, 4, 5])
        }
    }

    @Test func `a position that is not taken at once is stored before any further record is handled`() async throws {
        let log = Log(3, refusals: 3)
        try await self.with(log) { client in
            let consumer = try self.consumer(client, log) { $0.recordsMax = 1 }
            let running = Task { try await consumer.run() }
            await self.until { log.positions.last == 4 }
            running.cancel()
            try await running.value
            // The end may come before the answer to the last one, and stores it again then.
            #expect(log.positions.prefix(4) == [1, 2, 3, 4] && log.positions.last == 4)
            #expect(log.handled.withLock { $0 } == [1, 2, 3])
        }
    }
}
