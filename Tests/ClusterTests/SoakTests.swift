import Foundation
import Testing

extension ClusterTests {
    /// The soak test's own cluster.
    @Suite struct SoakTests {
        @Test func `With TLS the nodes demand a token, and all that the test does carries one`() async throws {
            let scratch = try Scratch()
            defer { scratch.end() }
            let directory = "\(scratch.path)/soak"
            async let soak = Program.run(
                ["soak-test", "--minutes", "0.1", "--seed", "1", "--tls", "--data-dir", directory], seconds: 300)
            var status = ""
            try await eventually("an answer of the first node") {
                status = try await Self.statusWithoutToken(directory)
                return !["", "000"].contains(status)
            }
            #expect(status == "401")
            let answer = try await soak
            #expect(answer.status == 0, "\(answer.summary)")
            // So short a run proves little, and says so.
            let words = "kinds of mishaps happened; a round of all takes a longer run"
            #expect(answer.output.contains(words), "\(answer.summary)")
        }

        @Test func `A run in which nothing was acknowledged has tested nothing, and says so`() async throws {
            let scratch = try Scratch()
            defer { scratch.end() }
            // No append is due in so short a time.
            let answer = try await Program.run(
                [
                    "soak-test", "--minutes", "0.001", "--rate", "1", "--seed", "1", "--data-dir",
                    "\(scratch.path)/soak",
                ], seconds: 150)
            #expect(answer.status == 1, "\(answer.summary)")
            #expect(answer.errors.contains("nothing was acknowledged while mishaps happened"), "\(answer.summary)")
        }

        /// What a client is answered that trusts the cluster's certificates and shows nothing; nothing while nobody listens.
        private static func statusWithoutToken(_ directory: String) async throws -> String {
            let node = try? String(contentsOfFile: "\(directory)/run/n1.node", encoding: .utf8)
            guard let client = node?.split(separator: " ").dropFirst().first else { return "" }
            let answer = try await Program.run(
                [
                    "--http2", "-s", "-m", "5", "-o", "/dev/null", "-w", "%{http_code}", "--cacert",
                    "\(directory)/certs/ca.pem", "https://\(client)/v1/cluster",
                ], executable: "/usr/bin/curl")
            return answer.output
        }
    }
}
