import LogModel
import NIOCore
import Synchronization
import TestSupport
import Testing

@testable import HoldfastClient

@Suite(.timeLimit(.minutes(1))) struct TailTests {
    /// Some records, and then silence.
    @Sendable private static func some(_ number: Int) -> ScriptedServer.Answer {
        .frames(thenEnds: false) { $0 <= 20 ? ScriptedServer.frame($0) : nil }
    }

    private static func problem(_ status: Int, _ code: String, first: UInt64? = nil) -> ProblemDocument {
        ProblemDocument(title: "", status: status, code: code, detail: "", hint: "", firstIndex: first)
    }

    /// Servers of one cluster whose answers to readers are scripted, number 1 being the first of each server.
    private func with(
        lastIndexes: [UInt64] = [], _ scripts: [@Sendable (Int) -> ScriptedServer.Answer],
        _ body: (HoldfastClient, [ScriptedServer]) async throws -> Void
    ) async throws {
        var servers: [ScriptedServer] = []
        var addresses: [ServerAddress] = []
        for (place, script) in scripts.enumerated() {
            let reads = Atomic(0)
            let last = place < lastIndexes.count ? lastIndexes[place] : 0
            let server = ScriptedServer { request, _ in
                guard request.head.path?.hasPrefix("/v1/records") ?? false else {
                    return ScriptedServer.cluster(leader: nil, lastIndex: last)
                }
                return script(reads.add(1, ordering: .relaxed).newValue)
            }
            addresses.append(try await server.start())
            servers.append(server)
        }
        let client = HoldfastClient(servers: addresses, timeoutMilliseconds: 20_000)
        do { try await body(client, servers) } catch { Issue.record(error) }
        await client.shutdown()
        for server in servers { await server.stop() }
    }

    /// The indexes of the first records of a tail.
    private func indexes(_ count: Int, of tail: RecordTail) async throws -> [UInt64] {
        var found: [UInt64] = []
        for try await record in tail {
            found.append(record.index.rawValue)
            if found.count == count { break }
        }
        return found
    }

    @Test func `a tail goes on where its stream ended, without a gap or a repeat`() async throws {
        // Each answer holds three records more, and then ends.
        let script: @Sendable (Int) -> ScriptedServer.Answer = { number in
            .frames(thenEnds: true) { $0 < 3 * UInt64(number) + 5 ? ScriptedServer.frame($0) : nil }
        }
        try await self.with([script]) { client, servers in
            let found = try await self.indexes(10, of: client.tail(from: .index(LogIndex(5))))
            #expect(found == Array(5..<15))
            #expect(servers[0].paths.contains("/v1/records?from=5&follow=true"))
            #expect(servers[0].paths.contains("/v1/records?from=8&follow=true"))
        }
    }

    @Test func `a server that is lost or refuses for now is left for another one`() async throws {
        let lost: @Sendable (Int) -> ScriptedServer.Answer = { $0 == 1 ? .reset : .silence }
        let refusing: @Sendable (Int) -> ScriptedServer.Answer = { _ in
            .status(503, Self.problem(503, "INCOMPLETE").json)
        }
        try await self.with([lost, refusing, Self.some]) { client, _ in
            let reasons = Mutex<Set<String>>([])
            for _ in 0..<6 {
                let tail = client.tail(from: .index(.first)) { reason in reasons.withLock { _ = $0.insert(reason) } }
                let found = try await self.indexes(3, of: tail)
                #expect(found == [1, 2, 3])
            }
            #expect(reasons.withLock { $0.allSatisfy { $0.contains("INCOMPLETE") || $0.hasPrefix("127.0.0.1:") } })
        }
    }

    @Test func `an error behind records comes after them, and is tried again where that helps`() async throws {
        let failing: @Sendable (Int) -> ScriptedServer.Answer = { number in
            .frames(thenEnds: number == 1) { index in
                guard index != 3 || number > 1 else {
                    var last = ByteBuffer()
                    RecordFrame.encode(Self.problem(503, "DAMAGED"), into: &last)
                    return last
                }
                return index < 9 ? ScriptedServer.frame(index) : nil
            }
        }
        try await self.with([failing]) { client, _ in
            let found = try await self.indexes(4, of: client.tail(from: .index(.first)))
            #expect(found == [1, 2, 3, 4])
        }
    }

    @Test func `what was trimmed under it is an error that names what is left`() async throws {
        let trimmed = Self.problem(410, "TRIMMED", first: 900)
        try await self.with([{ _ in .status(410, trimmed.json) }]) { client, _ in
            await #expect(throws: ClientError.trimmed(first: LogIndex(900))) {
                _ = try await self.indexes(1, of: client.tail(from: .index(LogIndex(4))))
            }
        }
    }

    @Test(arguments: [4, 6]) func `a record out of turn is an error, and is not handed over`(second: UInt64)
        async throws
    {
        try await self.with([
            { _ in .frames(thenEnds: false) { $0 > 9 ? nil : ScriptedServer.frame($0 == 5 ? second : $0) } }
        ]) {
            client, _ in
            await #expect(throws: ClientError.badAnswer("record \(second) instead of 5")) {
                _ = try await self.indexes(3, of: client.tail(from: .index(LogIndex(4))))
            }
        }
    }

    @Test func `a server that is silent while others go on is left`() async throws {
        let silent: @Sendable (Int) -> ScriptedServer.Answer = { _ in .frames(thenEnds: false) { _ in nil } }
        try await self.with(lastIndexes: [0, 100], [silent, Self.some]) { client, servers in
            // Whichever is asked first, three readers in turn are bound to meet the silent one, or no test is needed.
            for _ in 0..<3 {
                let reader = TailReader(
                    client, from: .start(.index(.first)), silence: .milliseconds(30), grace: .milliseconds(10))
                let records = try #require(try await reader.next())
                #expect(records.first?.index == .first)
            }
            #expect(servers[1].paths.contains("/v1/records?from=1&follow=true"))
        }
    }

    @Test func `a slow reader holds the server back`() async throws {
        let value = String(repeating: "x", count: 10_000)
        try await self.with([{ _ in .frames(thenEnds: false) { ScriptedServer.frame($0, value) } }]) {
            client, servers in
            let reader = client.tail(from: .index(.first)).reader
            var count = UInt64(try #require(try await reader.next()).count)
            // Nobody reads: what was sent comes to a stop.
            var before = -1
            while before != servers[0].sentByteCount.load(ordering: .relaxed) {
                before = servers[0].sentByteCount.load(ordering: .relaxed)
                try await Task.sleep(for: .milliseconds(100))
            }
            #expect(before < 5 << 20)
            while count < 1_000 {
                let records = try #require(try await reader.next())
                #expect(records.first?.index == LogIndex(count + 1))
                count += UInt64(records.count)
            }
        }
    }

    @Test func `a record that is longer than a window arrives`() async throws {
        let value = String(repeating: "x", count: 3 << 20)
        try await self.with([{ _ in .frames(thenEnds: false) { $0 > 1 ? nil : ScriptedServer.frame($0, value) } }]) {
            client, _ in
            for try await record in client.tail(from: .index(.first)) {
                #expect(record.record.value.count == value.utf8.count)
                break
            }
        }
    }

    @Test func `a record that takes longer than a silence arrives while others have it, too`() async throws {
        let frame = ScriptedServer.frame(1, String(repeating: "x", count: 4_000))
        let slow: @Sendable (Int) -> ScriptedServer.Answer = { _ in
            .slowFrame(frame, pieces: 20, every: .milliseconds(50))
        }
        try await self.with(lastIndexes: [1], [slow]) { client, _ in
            let reader = TailReader(
                client, from: .start(.index(.first)), silence: .milliseconds(250), grace: .milliseconds(250))
            let records = try await reader.next(before: .now + .seconds(20))
            #expect(records?.first?.index == .first)
        }
    }

    @Test func `whoever goes on after a task that was told to end waits as long as it says`() async throws {
        try await self.with([{ _ in .frames(thenEnds: false) { _ in nil } }]) { client, _ in
            let stream = try await TailStream.open(
                at: client.servers[0], access: ClientAccess(), from: .first, logger: client.logger)
            let ended = Task { await stream.take(within: .seconds(60)) }
            ended.cancel()
            _ = await ended.value
            let began = ContinuousClock.now
            _ = await stream.take(within: .milliseconds(50))
            #expect(began.duration(to: .now) >= .milliseconds(50))
            stream.close()
        }
    }

    @Test func `a log that is trimmed before its first record came is read from where it begins then`() async throws {
        let page: @Sendable (UInt64) -> ScriptedServer.Answer = { first in
            var frames = ByteBuffer()
            let record = IndexedRecord(
                index: LogIndex(first), position: Position(0, 64), term: Term(1), timestamp: .zero, record: Record("a"))
            RecordFrame.encode([record], into: &frames)
            let end = PageEnd(
                next: LogIndex(first + 1), isUpToDate: false, firstIndex: LogIndex(first), lastIndex: LogIndex(999))
            RecordFrame.encode(end, into: &frames)
            return .status(200, Array(frames.readableBytesView))
        }
        let trimmed = Self.problem(410, "TRIMMED", first: 900)
        let script: @Sendable (Int) -> ScriptedServer.Answer = { number in
            switch number {
            case 1: page(1)
            case 2: .status(410, trimmed.json)
            case 3: page(900)
            default: .frames(thenEnds: false) { ScriptedServer.frame($0) }
            }
        }
        for start in [HoldfastClient.Start.first, .last(999)] {
            try await self.with([script]) { client, _ in
                let found = try await self.indexes(2, of: client.tail(from: start))
                #expect(found == [900, 901])
            }
        }
    }

    @Test func `a tail ends with its task, and with its client`() async throws {
        let silent: @Sendable (Int) -> ScriptedServer.Answer = { _ in
            .frames(thenEnds: false) { $0 < 3 ? ScriptedServer.frame($0) : nil }
        }
        try await self.with([silent]) { client, servers in
            let task = Task { try await self.indexes(10, of: client.tail(from: .index(.first))) }
            while !servers[0].paths.contains(where: { $0.hasSuffix("follow=true") }) { await Task.yield() }
            task.cancel()
            let found = try await task.value
            #expect(found.count <= 2)

            let reader = client.tail(from: .index(.first)).reader
            let records = try await reader.next()
            #expect(records?.count == 2)
            await client.shutdown()
            await #expect(throws: ClientError.ended("the client was shut down")) { try await reader.next() }
        }
    }

    @Test func `a tail that nobody answers at the beginning says so in time`() async throws {
        let gone = try RefusingPort()
        defer { withExtendedLifetime(gone) {} }
        let address = ServerAddress(host: "127.0.0.1", port: gone.port)
        let client = HoldfastClient(servers: [address], timeoutMilliseconds: 50)
        for start in [HoldfastClient.Start.tail, .index(.first)] {
            let error = await #expect(throws: ClientError.self) {
                _ = try await self.indexes(1, of: client.tail(from: start))
            }
            #expect(error?.applied == .no && error?.isWorthRetrying == true)
        }
        await client.shutdown()
    }
}
