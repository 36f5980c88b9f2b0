import Foundation
import Testing

extension ClusterTests {
    /// Whoever waits for a backup sees how far it is, on a terminal; a script does not.
    @Suite struct BackupProgressTests {
        @Test func `create, verify and restore show a bar on a terminal, and nothing of it elsewhere`() async throws {
            try await TestCluster.with(nodes: 1) { cluster in
                try await cluster.append((0..<500).map { "record \($0)" })
                let server = "\(cluster.nodes[0].client)"
                for isTerminal in [false, true] {
                    let kept = "\(cluster.directory)/kept-\(isTerminal)"
                    let steps = [
                        ("copying [", ["backup", "create", kept, "--server", server]),
                        ("\(kept) [", ["backup", "verify", kept]),
                        (
                            "restoring [",
                            ["backup", "restore", kept, "--data-dir", "\(kept)-restored", "--node-id", "1"]
                        ),
                    ]
                    for (bar, arguments) in steps {
                        let answer = try await Self.run(arguments, onTerminal: isTerminal)
                        #expect(answer.status == 0, "\(answer.summary)")
                        let said = answer.output + answer.errors
                        #expect(said.contains(bar) == isTerminal, "\(arguments[1]): \(answer.summary)")
                        #expect(said.contains(" s left") == isTerminal, "\(arguments[1]): \(answer.summary)")
                    }
                }
                let quiet = try await Self.run(
                    ["backup", "create", "\(cluster.directory)/quiet", "--server", server, "-q"], onTerminal: true)
                #expect(quiet.status == 0 && !quiet.output.contains("copying ["), "\(quiet.summary)")
            }
        }

        /// - Parameter isTerminal: Whether stderr is one; `script` then has all that was said as its output.
        private static func run(_ arguments: [String], onTerminal isTerminal: Bool) async throws -> Program.Answer {
            guard isTerminal else { return try await Program.run(arguments) }
            let command = ([Program.path] + arguments).map { "'\($0)'" }.joined(separator: " ")
            return try await Program.run(["-qec", command, "/dev/null"], executable: "/usr/bin/script")
        }
    }
}
