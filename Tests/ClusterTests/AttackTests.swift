import Foundation
import TestSupport
import Testing

extension ClusterTests {
    /// The listeners of running nodes, against peers that break the rules; see the article Hardening.
    @Suite struct AttackTests {
        private static let folder = URL(fileURLWithPath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Probes").path

        private static var python: String? {
            get async throws {
                guard let python = ProcessInfo.processInfo.environment["HOLDFAST_PYTHON"] else {
                    try SkippedTest.note("HOLDFAST_PYTHON names no Python with h2 (scripts/setup --tests)")
                    return nil
                }
                let modules = try await Program.run(["-c", "import hpack, hyperframe"], executable: python)
                if modules.status != 0 { try SkippedTest.note("\(python) has no h2 (scripts/setup --tests)") }
                return modules.status == 0 ? python : nil
            }
        }

        @Test func `Both listeners answer right and wrong HTTP 2 as the RFCs say`() async throws {
            guard let python = try await Self.python else { return }
            try await Self.conform(with: python)
        }

        @Test func `The same holds by TLS`() async throws {
            guard let python = try await Self.python else { return }
            // One behind the other: who asks meanwhile has to be answered within a second.
            try await Self.conform(isSecure: true, with: python)
            try await Self.attack("client", isSecure: true, with: python)
        }

        @Test func `Attackers are cut off, others are served, and memory stays bounded`() async throws {
            guard let python = try await Self.python else { return }
            // A node for each kind, one behind the other: who asks meanwhile has to be answered within a second, and the memory
            // that grows is that of one attack's victim.
            for kind in ["client", "peer", "bodies"] { try await Self.attack(kind, with: python) }
        }

        @Test func `The admin listener cuts off attackers, serves others, and keeps its memory bounded`() async throws {
            guard let python = try await Self.python else { return }
            for groups in [("heads", "answers"), ("bodies", "streams")] {
                async let first: Void = Self.attackAdmin(groups.0, with: python)
                try await Self.attackAdmin(groups.1, with: python)
                try await first
            }
        }

        private static func conform(isSecure: Bool = false, with python: String) async throws {
            try await TestCluster.with(nodes: 1, isSecure: isSecure) { cluster in
                let node = cluster.nodes[0]
                let answer = try await Program.run(
                    ["\(Self.folder)/conform.py"] + Self.security(of: cluster) + ["\(node.client)", "\(node.peer)"],
                    executable: python, seconds: 90)
                #expect(answer.status == 0, "\(answer.summary)")
                #expect(answer.lines.last?.hasSuffix(" as expected, 0 not") == true)
            }
        }

        /// With what the scripts speak TLS, if the cluster does.
        private static func security(of cluster: TestCluster) -> [String] {
            guard cluster.isSecure else { return [] }
            let own = "\(cluster.directory)/certs/n1"
            return ["--ca", cluster.authorityFile, "--cert", "\(own).pem", "--key", "\(own).key"]
        }

        private static func attack(_ kind: String, isSecure: Bool = false, with python: String) async throws {
            try await self.attack(isSecure: isSecure, with: python) { cluster, process in
                let node = cluster.nodes[0]
                return ["\(Self.folder)/attack.py"] + Self.security(of: cluster)
                    + ["\(node.client)", "\(node.peer)", "\(process)", kind]
            }
        }

        private static func attackAdmin(_ group: String, with python: String) async throws {
            try await self.attack(with: python) { cluster, process in
                ["\(Self.folder)/attack_admin.py", "\(cluster.nodes[0].admin)", "\(process)", group]
            }
        }

        /// On a node of its own.
        private static func attack(
            isSecure: Bool = false, with python: String, arguments: (TestCluster, Int32) -> [String]
        ) async throws {
            // Small segments, so that there are sealed ones to fetch.
            try await TestCluster.with(nodes: 1, segmentSize: "4MiB", isSecure: isSecure) { cluster in
                let node = cluster.nodes[0]
                let process = try #require(cluster.process(node))
                let answer = try await Program.run(arguments(cluster, process), executable: python, seconds: 120)
                #expect(answer.status == 0, "\(answer.summary)")
                #expect(answer.lines.last?.contains(" attacks, 0 not stopped;") == true)
                #expect(cluster.process(node) == process, "it still runs")
            }
        }
    }
}
