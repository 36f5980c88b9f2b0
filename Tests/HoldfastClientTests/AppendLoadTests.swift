import Synchronization
import Testing

@testable import HoldfastClient

@Suite struct AppendLoadTests {
    /// Connections that stood at each append, in order.
    private final class Watch: Sendable {
        private let counts = Mutex<[Int]>([])
        let server = Mutex<ScriptedServer?>(nil)

        func look() {
            let count = self.server.withLock { $0?.connectionCount ?? 0 }
            self.counts.withLock { $0.append(count) }
        }

        var all: [Int] { self.counts.withLock { $0 } }
    }

    private func run(
        clients: Int, status: Int = 201, milliseconds: UInt64 = 300
    ) async throws -> (result: AppendLoad.Result, counts: [Int]) {
        let watch = Watch()
        let server = ScriptedServer { _, _ in
            watch.look()
            return .status(status, Array("said".utf8))
        }
        watch.server.withLock { $0 = server }
        let address = try await server.start()
        let result = await AppendLoad(
            server: address, clients: clients, inFlight: 1, size: 10, warmUpMilliseconds: 0,
            durationMilliseconds: milliseconds
        ).run()
        await server.stop()
        watch.server.withLock { $0 = nil }
        return (result, watch.all)
    }

    @Test func `all clients are connected before the time begins, and few of them connect at once`() async throws {
        let clients = 3 * AppendLoad.openingMax
        // In a short time a busy machine may give nobody a turn.
        for milliseconds: UInt64 in [200, 1_000, 4_000] {
            let (result, counts) = try await self.run(clients: clients, milliseconds: milliseconds)
            #expect(result.failureCount == 0, "\(result.failure ?? "")")
            for (answered, count) in counts.prefix(clients).enumerated() {
                #expect(count <= answered + AppendLoad.openingMax)
            }
            guard counts.count > clients, !result.latenciesMicroseconds.isEmpty else { continue }
            #expect(counts[clients] == clients, "the first append that counts")
            #expect(result.latenciesMicroseconds.count <= counts.count - clients)
            return
        }
        Issue.record("no append came that counts")
    }

    @Test func `an append that is refused is counted with its reason, the one that opens the connection, too`()
        async throws
    {
        let (result, counts) = try await self.run(clients: 2, status: 503)
        #expect(result.latenciesMicroseconds.isEmpty && result.failure == "said")
        #expect(result.failureCount == counts.count && counts.count >= 2)
    }
}
