import Foundation
import TestSupport
import Testing

extension ClusterTests {
    /// The dashboard of a real cluster in a real browser.
    @Suite struct DashboardTests {
        private static let scripts = URL(fileURLWithPath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Dashboard").path
        /// The README shows it.
        private static let picture = URL(fileURLWithPath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("Sources/HoldfastNode/HoldfastNode.docc/Resources/dashboard.png").path
        private static let pictureByteCountMax = 200_000
        private static let environment = ProcessInfo.processInfo.environment

        /// - Returns: `nil`, and says so, where there is no browser to look with.
        private static func python() async throws -> String? {
            guard let python = self.environment["HOLDFAST_PYTHON"] else {
                try SkippedTest.note("HOLDFAST_PYTHON names no Python with playwright (scripts/setup --tests)")
                return nil
            }
            let modules = "import axe_playwright_python, os, playwright; os.stat('/usr/bin/chromium')"
            guard try await Program.run(["-c", modules], executable: python, seconds: 60).status == 0 else {
                try SkippedTest.note("there is no Chromium, or no playwright (scripts/setup --tests)")
                return nil
            }
            return python
        }

        @Test func `The dashboard shows failover, silence, lag, damage and repair as they happen, to everybody`()
            async throws
        {
            guard let python = try await Self.python() else { return }
            let address = try #require(try Document("README.md").address(under: "## How it is doing"))
            try await TestCluster.with { cluster in
                try await cluster.append((1...3_500).map { "\($0) " + String(repeating: "abcdefgh", count: 120) })
                let picture = Self.environment["HOLDFAST_REWRITE"] == "1" ? [Self.picture] : []
                let answer = try await Program.run(
                    ["\(Self.scripts)/dashboard.py", Program.path, cluster.directory, cluster.placed(address)]
                        + picture,
                    executable: python, seconds: 120)
                #expect(answer.status == 0, "\(answer.summary)")
                #expect(answer.lines.last == "the page outlives its node")
            }
        }

        @Test func `The dashboard asks for a token where its node does, and shows the cluster to whoever has one`()
            async throws
        {
            guard let python = try await Self.python() else { return }
            try await TestCluster.with(nodes: 1) { cluster in
                let node = cluster.nodes[0]
                let file = "\(cluster.directory)/tokens"
                let made = try await Program.run([
                    "token", "create", "--name", "watcher", "--scope", "read", "--file", file,
                ])
                let token = try #require(made.lines.first, "\(made.summary)")
                try await cluster.stop(node)
                let text = try String(contentsOfFile: node.config, encoding: .utf8)
                try (text + "auth:\n  tokens: \(file)\n").write(toFile: node.config, atomically: true, encoding: .utf8)
                let start = try await Program.run(
                    ["cluster", "start", node.name, "--data-dir", cluster.directory],
                    environment: ["HOLDFAST_TOKEN": token])
                try #require(start.status == 0, "\(start.summary)")
                let answer = try await Program.run(
                    ["\(Self.scripts)/gate.py", "http://\(node.admin)/", token], executable: python, seconds: 60)
                #expect(answer.status == 0, "\(answer.summary)")
            }
        }

        @Test func `The picture in the README is there, and small`() throws {
            let size = try FileManager.default.attributesOfItem(atPath: Self.picture)[.size] as? Int
            #expect(try #require(size) < Self.pictureByteCountMax)
        }
    }
}
