import HTTPTypes
import HoldfastClient
import LogModel
import LogState
import ReplicaCore
import Testing

@testable import HoldfastNode

/// Sessions of the real client with a real listener, over a log in memory.
@Suite struct SessionTests {
    private func with(_ body: (Listener, HoldfastClient) async throws -> Void) async throws {
        try await Listener.with { listener in
            listener.log.setPeers(FakeLog.peers(ports: [listener.server.port, 1]))
            let client = HoldfastClient(servers: [listener.address])
            do { try await body(listener, client) } catch {
                await client.shutdown()
                throw error
            }
            await client.shutdown()
        }
    }

    @Test func `batches are acknowledged in order, each with its place`() async throws {
        try await self.with { listener, client in
            let session = try await client.openSession(inFlightMax: 4)
            var pending: [PendingReceipt] = []
            for number in 0..<100 {
                pending.append(await session.send([Record("a\(number)"), Record("b\(number)")]))
            }
            try await session.finish()
            for (number, pending) in pending.enumerated() {
                let receipt = try await pending.receipt
                #expect(
                    receipt.first == LogIndex(UInt64(2 * number + 1)) && receipt.last == receipt.first.advanced(by: 1))
                #expect(receipt.nodes == 2 && receipt.voters == 3 && receipt.durability == .persisted)
            }
            #expect(listener.log.values == (0..<100).flatMap { ["a\($0)", "b\($0)"] })
        }
    }

    @Test func `a batch that is larger than a window comes through`() async throws {
        try await self.with { listener, client in
            let session = try await client.openSession()
            let large = Record(value: Bytes(repeating: 7, count: 3 << 20))
            let pending = [await session.send([large]), await session.send([large]), await session.send([Record("x")])]
            try await session.finish()
            #expect(try await pending[2].receipt.first == LogIndex(3))
            #expect(listener.log.values.count == 3)
        }
    }

    @Test func `the first failure ends a session: nothing behind it is in the log`() async throws {
        try await self.with { listener, client in
            let session = try await client.openSession()
            _ = try await session.send([Record("one")]).receipt
            listener.log.fail(appends: .noSpace)
            let refused = await session.send([Record("two")])
            let error = await #expect(throws: ClientError.self) { try await refused.receipt }
            guard case .refused(let problem) = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect(problem.code == "NO_SPACE" && problem.applied == .no && !problem.requestID.isEmpty)
            listener.log.fail(appends: nil)
            let later = await session.send([Record("three")])
            await #expect(throws: ClientError.refused(problem)) { try await later.receipt }
            await #expect(throws: ClientError.refused(problem)) { try await session.finish() }
            #expect(listener.log.values == ["one"])
        }
    }

    @Test func `what is not decided when the connection goes is unknown`() async throws {
        try await self.with { listener, client in
            let session = try await client.openSession()
            listener.log.holdAppends()
            let pending = await session.send([Record("one")])
            await listener.server.shutdown(grace: .milliseconds(10))
            let error = await #expect(throws: ClientError.self) { try await pending.receipt }
            guard case .outcomeUnknown = error else {
                Issue.record("\(String(describing: error))")
                return
            }
        }
    }

    @Test func `a follower names the leader, and what is no session is refused before it begins`() async throws {
        try await self.with { listener, client in
            let session = try await client.openSession()
            listener.log.setLeader(NodeID(2))
            let error = await #expect(throws: ClientError.self) { try await session.send([Record("one")]).receipt }
            guard case .refused(let problem) = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect(problem.code == "NOT_LEADER" && problem.leader == "127.0.0.1:1")
            let type: HTTPFields = [.contentType: "application/vnd.holdfast.frames"]
            var both = type
            both[.holdfastProducer] = "7"
            both[.idempotencyKey] = "k"
            var good = type
            good[.holdfastProducer] = "7"
            for (fields, query) in [(type, ""), (both, ""), (good, "?ack=all"), (good, "?expect=3")] {
                #expect(try await listener.ask(.post, "/v1/records\(query)", fields, body: "").status == 400)
            }
        }
    }

    @Test func `bytes that are no batch end a session behind those that were`() async throws {
        try await self.with { listener, client in
            let fields: HTTPFields = [.contentType: "application/vnd.holdfast.frames", .holdfastProducer: "7"]
            for (body, detail) in [
                ("\u{1}\u{0}\u{0}\u{0}x", "does not consist of batches"),
                ("\u{9}\u{0}\u{0}\u{0}x", "ended within a batch"),
                ("\u{D}\u{0}\u{0}\u{0}\u{1}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{1}\u{0}\u{0}\u{0}\u{7}", "do not fit"),
                ("\u{C}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{1}\u{0}\u{0}\u{0}", "sequence 0"),
            ] {
                let answer = try await listener.ask(.post, "/v1/records", fields, body: body)
                #expect(answer.status == 200 && answer.body.contains(detail), "\(detail): \(answer.body)")
            }
            #expect(listener.log.appendCount == 0)
        }
    }

    @Test func `a batch out of turn ends a session: what is said of all behind it would not be true`() async throws {
        try await self.with { listener, _ in
            func batch(_ sequence: Character) -> String {
                let zeros = "\u{0}\u{0}\u{0}"
                return "\u{10}\(zeros)\(sequence)\(zeros)\(zeros)\u{0}\u{1}\(zeros)\u{0}\u{0}\u{1}x"
            }
            let fields: HTTPFields = [.contentType: "application/vnd.holdfast.frames", .holdfastProducer: "7"]
            for (body, count) in [("\u{1}\u{3}\u{2}", 1), ("\u{2}\u{3}\u{2}", 2)] {
                let before = listener.log.appendCount
                let answer = try await listener.ask(.post, "/v1/records", fields, body: body.map(batch).joined())
                #expect(answer.body.contains("out of turn"), "\(answer.body)")
                #expect(listener.log.appendCount == before + count)
            }
        }
    }

    @Test func `a load has no more sessions than the log remembers producers`() {
        #expect(SessionLoad.sessionsMax == LogStateLimits.producersMax)
    }
}
