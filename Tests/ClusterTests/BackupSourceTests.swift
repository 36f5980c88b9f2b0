import Foundation
import Glibc
import HoldfastClient
import Testing

extension ClusterTests {
    /// Whom a backup asks, and what it does with what an interrupted run has left.
    @Suite struct BackupSourceTests {
        @Test func `all servers are asked at the same time: a silent one holds up no other`() async throws {
            let scratch = try Scratch()
            defer { scratch.end() }
            let base = try Ports.freeBase(nodes: 1)
            let ports = [base, base + 1, base + 2]
            // They take connections, and nobody ever reads.
            let silent = try ports.map { try #require(Ports.listener(on: $0)) }
            let servers = ports.map { "127.0.0.1:\($0)" }.joined(separator: ",")
            async let asking = Program.run(["backup", "create", "\(scratch.path)/kept", "--server", servers])
            // One after the other, the second would be asked when the first has had ten seconds.
            try await eventually("a request at each", within: 8) {
                ports.allSatisfy { Ports.unread(at: $0).values.contains { $0 > 0 } }
            }
            for process in Processes.naming(scratch.path) { Glibc.kill(process, SIGKILL) }
            #expect(try await asking.status == -SIGKILL)
            withExtendedLifetime(silent) {}
        }

        @Test func `what an interrupted run left does not keep a source away that the finished backup goes on with`()
            async throws
        {
            try await TestCluster.with(nodes: 1) { cluster in
                let node = cluster.nodes[0]
                let (data, saved) = (node.dataDirectory, "\(cluster.directory)/saved")
                let kept = ["behind", "running", "stopped"].map { "\(cluster.directory)/\($0)" }
                try await cluster.append((0..<200).map { "in both \($0)" })
                for directory in kept { try await Self.create(directory, "--server", "\(node.client)") }
                try await cluster.stop(node)
                try FileManager.default.copyItem(atPath: data, toPath: saved)

                try await cluster.start(node)
                try await cluster.append((0..<300).map { "given up \($0)" })
                let longer = "\(cluster.directory)/longer"
                try await Self.create(longer, "--server", "\(node.client)")
                // As if each had been interrupted then.
                for directory in kept { try Self.replace("\(directory)/000000.wal", with: "\(longer)/000000.wal") }
                try await cluster.stop(node)
                try FileManager.default.removeItem(atPath: data)
                try FileManager.default.copyItem(atPath: saved, toPath: data)
                try await Self.create(kept[0], "--data-dir", data)
                try await Self.expect(kept[0], last: 200, in: "\(cluster.directory)/r0")

                try await cluster.start(node)
                try await cluster.append((0..<400).map { "of another length, and instead \($0)" })
                try await Self.create(kept[1], "--server", "\(node.client)")
                try await cluster.stop(node)
                try await Self.create(kept[2], "--data-dir", data)
                for directory in kept[1...] { try await Self.expect(directory, last: 600, in: "\(directory)-restored") }
                // Nothing of a backup that was finished is ever given up.
                let refused = try await Program.run(["backup", "create", longer, "--data-dir", data])
                #expect(refused.status == 1 && refused.errors.contains("other frames"), "\(refused.summary)")
                try await Self.expect(longer, last: 500, in: "\(longer)-restored")
            }
        }

        // MARK: Steps

        private static func create(_ directory: String, _ source: String...) async throws {
            let answer = try await Program.run(["backup", "create", directory] + source)
            try #require(answer.status == 0, "\(source): \(answer.summary)")
        }

        private static func replace(_ path: String, with source: String) throws {
            try FileManager.default.removeItem(atPath: path)
            try FileManager.default.copyItem(atPath: source, toPath: path)
        }

        /// The backup is whole, and a node can be made of it.
        private static func expect(_ backup: String, last: Int, in directory: String) async throws {
            let verified = try await Program.run(["backup", "verify", backup])
            #expect(verified.status == 0 && verified.output.contains("records 1 to \(last),"), "\(verified.summary)")
            let restored = try await Program.run(
                ["backup", "restore", backup, "--data-dir", directory, "--node-id", "1"])
            #expect(restored.status == 0, "\(restored.summary)")
        }
    }
}
