import HTTPTypes
import LogModel
import TestSupport
import Testing

@testable import HoldfastClient

@Suite struct HoldfastClientTests {
    private static func receipt(_ index: UInt64) -> ScriptedServer.Answer {
        .status(
            201,
            AppendReceipt(
                first: LogIndex(index), last: LogIndex(index), position: Position(0, 64), term: Term(1),
                durability: .persisted, nodes: 2, voters: 3, isDuplicate: false
            ).json)
    }

    private static func problem(_ status: Int, applied: ProblemDocument.Applied = .no) -> ScriptedServer.Answer {
        .status(
            status,
            ProblemDocument(title: "", status: status, code: "CODE", detail: "", hint: "", applied: applied).json)
    }

    /// What two of three voters have.
    private static let byTwo = AppendReceipt(
        first: LogIndex(1), last: LogIndex(1), position: Position(0, 64), term: Term(1), durability: .persisted,
        nodes: 2, voters: 3, isDuplicate: false)
    private static let notByAll = ProblemDocument(
        title: "", status: 504, code: "NOT_BY_ALL", detail: "", hint: "", applied: .yes, receipt: byTwo)

    /// A server that leads itself and answers appends by `script`; its first try is number 1.
    private func with<Value>(
        timeoutMilliseconds: UInt64 = 20_000, _ script: @escaping @Sendable (Int) -> ScriptedServer.Answer,
        _ body: (HoldfastClient, ScriptedServer) async throws -> Value
    ) async throws -> Value {
        let box = AddressBox()
        let server = ScriptedServer { request, number in
            request.head.method == .post ? script(number) : ScriptedServer.cluster(leader: box.address)
        }
        box.address = try await server.start()
        let client = HoldfastClient(
            servers: [try #require(box.address)], timeoutMilliseconds: timeoutMilliseconds,
            attemptTimeoutMilliseconds: 20_000)
        let result: Result<Value, any Error>
        do { result = .success(try await body(client, server)) } catch { result = .failure(error) }
        await client.shutdown()
        await server.stop()
        return try result.get()
    }

    @Test func `sequences count up, one producer per producer`() async throws {
        try await self.with({ Self.receipt(UInt64($0)) }) { client, server in
            let producer = client.makeProducer()
            for _ in 0..<3 { try await producer.append([Record("x")]) }
            let fields = server.appends.map(\.head.headerFields)
            #expect(fields.map { $0[.holdfastSequence] } == ["1", "2", "3"])
            #expect(Set(fields.map { $0[.holdfastProducer] }).count == 1)
            #expect(await client.makeProducer().number != producer.number)
        }
    }

    @Test func `a retry carries the same sequence and the same bytes`() async throws {
        let script: @Sendable (Int) -> ScriptedServer.Answer = { number in
            switch number {
            case 1: Self.problem(503)
            case 2: .reset
            case 3: Self.problem(504, applied: .unknown)
            default: Self.receipt(1)
            }
        }
        try await self.with(script) { client, server in
            let receipt = try await client.makeProducer().append([Record("x"), Record("y")])
            #expect(receipt.first == LogIndex(1))
            #expect(server.appends.count == 4)
            #expect(Set(server.appends.map(\.body)) == ["x\ny\n"])
            #expect(Set(server.appends.map { $0.head.headerFields[.holdfastSequence] }) == ["1"])
        }
    }

    @Test func `what is refused is not tried again, and the sequence is used for the next`() async throws {
        try await self.with({ $0 == 1 ? Self.problem(413) : Self.receipt(1) }) { client, server in
            let producer = client.makeProducer()
            await #expect(throws: ClientError.self) { try await producer.append([Record("large")]) }
            #expect(server.appends.count == 1)
            try await producer.append([Record("small")])
            #expect(server.appends.map { $0.head.headerFields[.holdfastSequence] } == ["1", "1"])
        }
    }

    @Test func `a key and its conditions go along with every try`() async throws {
        try await self.with({ $0 == 1 ? .reset : Self.receipt(5) }) { client, server in
            let conditions = WriteConditions(expectedNext: LogIndex(5), fencingToken: 3)
            let receipt = try await client.append([Record("x")], key: "order-1", if: conditions)
            #expect(receipt.first == LogIndex(5))
            let fields = server.appends.map(\.head.headerFields)
            #expect(fields.map { $0[.idempotencyKey] } == ["order-1", "order-1"])
            #expect(fields.map { $0[.ifMatch] } == ["\"5\"", "\"5\""])
            #expect(fields.map { $0[.holdfastFencingToken] } == ["3", "3"])
            #expect(fields.allSatisfy { $0[.holdfastProducer] == nil })
        }
    }

    @Test(arguments: [("FENCED", nil, true), ("CONDITION_FAILED", 9, true), ("CONDITION_FAILED", 4, false)])
    func `a refusal that speaks for every try is certain, another one is not`(
        code: String, next: UInt64?, isCertain: Bool
    ) async throws {
        let refusal = ProblemDocument(title: "", status: 409, code: code, detail: "", hint: "", nextIndex: next)
        try await self.with({ $0 == 1 ? .reset : .status(409, refusal.json) }) { client, _ in
            let error = await #expect(throws: ClientError.self) {
                try await client.append([Record("x")], key: "k", if: WriteConditions(expectedNext: LogIndex(5)))
            }
            if isCertain {
                #expect(error == .refused(refusal))
            } else if case .outcomeUnknown = error {
            } else {
                Issue.record("\(String(describing: error))")
            }
        }
    }

    @Test func `time over is unknown after an uncertain try, and the producer starts anew`() async throws {
        let script: @Sendable (Int) -> ScriptedServer.Answer = {
            $0 <= 100 ? Self.problem(504, applied: .unknown) : Self.receipt(1)
        }
        // On a busy machine a short time may be over before anything was asked.
        for milliseconds: UInt64 in [30, 300, 3_000, 30_000] {
            let wasAsked = try await self.with(timeoutMilliseconds: milliseconds, script) { client, server in
                let producer = client.makeProducer()
                let before = await producer.number
                let error = await #expect(throws: ClientError.self) { try await producer.append([Record("x")]) }
                guard !server.appends.isEmpty else { return false }
                guard case .outcomeUnknown = error else {
                    Issue.record("\(String(describing: error))")
                    return true
                }
                #expect(await producer.number != before)
                return true
            }
            if wasAsked { return }
        }
        Issue.record("the server was never asked")
    }

    @Test func `an append that all are to have is asked for again, and its place is told when the time is up`()
        async throws
    {
        let (receipt, missing) = (Self.byTwo, Self.notByAll)
        try await self.with({ $0 < 3 ? .status(504, missing.json) : Self.receipt(1) }) { client, server in
            _ = try await client.append([Record("x")], key: "k", acknowledgement: .all)
            #expect(server.appends.count == 3)
            #expect(server.appends.allSatisfy { $0.head.path == "/v1/records?ack=all&wait=800ms" })
        }
        try await self.with(timeoutMilliseconds: 3_000, { _ in .status(504, missing.json) }) { client, _ in
            let producer = client.makeProducer()
            let number = await producer.number
            let error = await #expect(throws: ClientError.self) {
                try await producer.append([Record("x")], acknowledgement: .all)
            }
            #expect(error == .notByAll(receipt))
            #expect(await producer.number == number)
        }
    }

    @Test func `what is committed stays so, whoever lets the client in afterwards`() async throws {
        func expect(_ client: HoldfastClient) async {
            let error = await #expect(throws: ClientError.self) {
                try await client.append([Record("x")], key: "k", acknowledgement: .all)
            }
            #expect(error == .notByAll(Self.byTwo))
        }
        let refusing: @Sendable (Int) -> ScriptedServer.Answer = {
            $0 == 1 ? .status(504, Self.notByAll.json) : $0 == 2 ? .reset : Self.problem(401)
        }
        try await self.with(refusing) { client, server in
            await expect(client)
            #expect(server.appends.count == 3)
        }
        // Nobody even says who leads any more.
        let box = AddressBox()
        let server = ScriptedServer { request, number in
            switch (request.head.method == .post, number) {
            case (true, 1): .status(504, Self.notByAll.json)
            case (true, _): Self.problem(503)
            case (false, 1): ScriptedServer.cluster(leader: box.address)
            case (false, _): Self.problem(401)
            }
        }
        let address = try await server.start()
        box.address = address
        let client = HoldfastClient(servers: [address], attemptTimeoutMilliseconds: 20_000)
        await expect(client)
        #expect(server.appends.count == 2)
        await client.shutdown()
        await server.stop()
    }

    @Test func `without a leader a wrong port among the servers keeps nobody from asking the others`() async throws {
        let wrong = ScriptedServer { _, _ in .peerPort }
        let follower = ScriptedServer { request, _ in
            request.head.path == "/v1/cluster"
                ? ScriptedServer.cluster(leader: nil) : .status(200, Array(#"{"cursors":[]}"#.utf8))
        }
        let port = try await wrong.start()
        let client = HoldfastClient(servers: [port, try await follower.start()])
        // Which one is asked is drawn.
        for _ in 0..<16 { #expect(try await client.cursors().isEmpty) }
        await client.shutdown()
        await follower.stop()

        let gone = try RefusingPort()
        defer { withExtendedLifetime(gone) {} }
        let closed = ServerAddress(host: "127.0.0.1", port: gone.port)
        let late = HoldfastClient(servers: [port, closed], timeoutMilliseconds: 20)
        let error = await #expect(throws: ClientError.self) { try await late.cursors() }
        guard case .unreachable(let reason) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(reason.contains("\(port): is a node's peer port") && reason.contains("\(closed): "), "\(reason)")
        await late.shutdown()
        // Where there is no other server, nothing is tried again.
        let alone = HoldfastClient(servers: [port])
        let said = await #expect(throws: ClientError.self) { try await alone.cursors() }
        #expect(said == .noClientPort("\(port) is a node's peer port"))
        let changed = await #expect(throws: ClientError.self) { try await alone.raiseFence(to: 1) }
        #expect(changed == said)
        await alone.shutdown()
        await wrong.stop()
    }

    @Test func `time over without an uncertain try is not applied`() async throws {
        try await self.with(timeoutMilliseconds: 30, { _ in Self.problem(503) }) { client, _ in
            let error = await #expect(throws: ClientError.self) {
                try await client.makeProducer().append([Record("x")])
            }
            guard case .unreachable = error else {
                Issue.record("\(String(describing: error))")
                return
            }
        }
    }

    @Test func `a refusal after an uncertain try is unknown`() async throws {
        try await self.with({ $0 == 1 ? .reset : Self.problem(409) }) { client, _ in
            let error = await #expect(throws: ClientError.self) {
                try await client.makeProducer().append([Record("x")])
            }
            guard case .outcomeUnknown = error else {
                Issue.record("\(String(describing: error))")
                return
            }
        }
    }

    @Test func `appends of one producer are sent in the order of the calls, one at a time`() async throws {
        try await self.with({ Self.receipt(UInt64($0)) }) { client, server in
            let producer = client.makeProducer()
            await withTaskGroup(of: Void.self) { group in
                for number in 0..<20 {
                    group.addTask { _ = try? await producer.append([Record("\(number)")]) }
                }
            }
            let sequences = server.appends.compactMap { $0.head.headerFields[.holdfastSequence].flatMap { Int($0) } }
            #expect(sequences == Array(1...20))
        }
    }

    @Test func `the leader is found through a server that does not lead`() async throws {
        let leader = ScriptedServer { _, number in Self.receipt(UInt64(number)) }
        let leaderAddress = try await leader.start()
        let other = ScriptedServer { _, _ in ScriptedServer.cluster(leader: leaderAddress) }
        let client = HoldfastClient(servers: [try await other.start()])
        try await client.makeProducer().append([Record("x")])
        #expect(leader.appends.count == 1)
        #expect(other.appends.isEmpty)
        #expect(client.servers.contains(leaderAddress))
        await client.shutdown()
        await leader.stop()
        await other.stop()
    }

    @Test func `nobody there is unreachable, not unknown`() async throws {
        let gone = try RefusingPort()
        defer { withExtendedLifetime(gone) {} }
        let address = ServerAddress(host: "127.0.0.1", port: gone.port)
        let client = HoldfastClient(servers: [address], timeoutMilliseconds: 20)
        let error = await #expect(throws: ClientError.self) { try await client.makeProducer().append([Record("x")]) }
        guard case .unreachable = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        await client.shutdown()
    }
}
