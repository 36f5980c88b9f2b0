import LogModel
import MetricsTestKit
import Testing

@testable import HoldfastClient

@Suite struct ClientMetricsTests {
    @Test func `requests, retries and records are counted where the caller says`() async throws {
        let receipt = AppendReceipt(
            first: LogIndex(1), last: LogIndex(2), position: Position(0, 64), term: Term(1), durability: .persisted,
            nodes: 2, voters: 3, isDuplicate: false)
        let box = AddressBox()
        let server = ScriptedServer { request, number in
            guard request.head.method == .post else { return ScriptedServer.cluster(leader: box.address) }
            return number == 1 ? .reset : .status(201, receipt.json)
        }
        let address = try await server.start()
        box.address = address
        let metrics = TestMetrics()
        let client = HoldfastClient(servers: [address], attemptTimeoutMilliseconds: 20_000, metrics: metrics)
        try await client.makeProducer().append([Record("a"), Record("b")])
        await client.shutdown()
        await server.stop()

        func count(_ name: String) throws -> Int64 {
            try metrics.expectCounter("holdfast_client_\(name)_total").totalValue
        }
        // Who leads, the append that was reset, who leads, the append; a machine that is asleep meanwhile adds some.
        let requests = try count("requests")
        #expect(requests >= 4)
        #expect(try requests - count("request_failures") >= 3)
        #expect(try count("request_failures") >= 1 && count("retries") >= 1)
        #expect(try count("records_appended") == 2)
        let durations = try metrics.expectTimer("holdfast_client_request_duration_seconds").values
        #expect(durations.count == requests && durations.allSatisfy { $0 > 0 })
        #expect(try metrics.expectTimer("holdfast_client_append_duration_seconds").values.count == 1)
    }
}
