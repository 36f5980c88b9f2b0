import Foundation
import TestSupport
import Testing

extension ClusterTests {
    /// A running node against its own description, by programs that others wrote.
    @Suite struct OpenAPITests {
        private static let script = URL(fileURLWithPath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("OpenAPI/conform.py").path

        @Test func `A node answers what its OpenAPI document says, to good requests and to bad ones`() async throws {
            guard let python = ProcessInfo.processInfo.environment["HOLDFAST_PYTHON"] else {
                return try SkippedTest.note("HOLDFAST_PYTHON names no Python with schemathesis (scripts/setup --tests)")
            }
            let modules = "import httpx, h2, openapi_spec_validator, schemathesis"
            guard try await Program.run(["-c", modules], executable: python, seconds: 60).status == 0 else {
                return try SkippedTest.note("\(python) has no schemathesis (scripts/setup --tests)")
            }
            try await TestCluster.with(nodes: 1) { cluster in
                let address = cluster.nodes[0].client.description
                let answer = try await Program.run([Self.script, address, "60"], executable: python, seconds: 100)
                #expect(answer.status == 0, "\(answer.summary)")
                #expect(answer.lines.contains { $0.hasPrefix("POST /v1/records ") && $0.contains("201:") })
            }
        }
    }
}
