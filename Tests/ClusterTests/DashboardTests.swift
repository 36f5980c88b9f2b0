import Foundation
import Testing

extension ClusterTests {
    /// The dashboard of a real cluster in a real browser.
    @Suite struct DashboardTests {
        private static let script = URL(fileURLWithPath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Dashboard/dashboard.py")
            .path
        /// The README shows it.
        private static let picture = URL(fileURLWithPath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("Sources/HoldfastNode/HoldfastNode.docc/Resources/dashboard.png").path
        private static let pictureByteCountMax = 200_000

        @Test func `The dashboard shows failover, silence, lag, damage and repair as they happen, to everybody`()
            async throws
        {
            let environment = ProcessInfo.processInfo.environment
            guard let python = environment["HOLDFAST_PYTHON"] else {
                return print("skipped: HOLDFAST_PYTHON names no Python with playwright (scripts/setup --tests)")
            }
            let modules = "import axe_playwright_python, os, playwright; os.stat('/usr/bin/chromium')"
            guard try await Program.run(["-c", modules], executable: python, seconds: 60).status == 0 else {
                return print("skipped: there is no Chromium, or no playwright (scripts/setup --tests)")
            }
            try await TestCluster.with { cluster in
                try await cluster.append((1...3_500).map { "\($0) " + String(repeating: "abcdefgh", count: 120) })
                let picture = environment["HOLDFAST_REWRITE"] == "1" ? [Self.picture] : []
                let port = "\(cluster.nodes[0].client.port)"
                let answer = try await Program.run(
                    [Self.script, Program.path, cluster.directory, port] + picture, executable: python, seconds: 90)
                #expect(answer.status == 0, "\(answer.summary)")
                #expect(answer.lines.last == "the page outlives its node")
            }
        }

        @Test func `The picture in the README is there, and small`() throws {
            let size = try FileManager.default.attributesOfItem(atPath: Self.picture)[.size] as? Int
            #expect(try #require(size) < Self.pictureByteCountMax)
        }
    }
}
