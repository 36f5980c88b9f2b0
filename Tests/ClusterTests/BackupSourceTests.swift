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

        @Test func `a node that runs and is behind is waited for, and costs nothing of what is there`() async throws {
            try await TestCluster.with(nodes: 1) { cluster in
                let node = cluster.nodes[0]
                let (data, saved) = (node.dataDirectory, "\(cluster.directory)/saved")
                let (kept, longer) = ("\(cluster.directory)/kept", "\(cluster.directory)/longer")
                try await cluster.append((0..<200).map { "in both \($0)" })
                try await Self.create(kept, "--server", "\(node.client)")
                try await cluster.stop(node)
                try FileManager.default.copyItem(atPath: data, toPath: saved)
                try await cluster.start(node)
                try await cluster.append((0..<300).map { "only in one \($0)" })
                try await Self.create(longer, "--server", "\(node.client)")
                // As if the backup had been interrupted then.
                try Self.replace("\(kept)/000000.wal", with: "\(longer)/000000.wal")
                try await cluster.stop(node)
                try FileManager.default.removeItem(atPath: data)
                try FileManager.default.copyItem(atPath: saved, toPath: data)
                try await cluster.start(node)
                let create = ["backup", "create", kept, "--server", "\(node.client)", "--timeout"]
                let files = ["000000.wal", "BACKUP"].map { "\(kept)/\($0)" }
                let before = files.map { FileManager.default.contents(atPath: $0) }
                let refused = try await Program.run(create + ["1s"])
                #expect(refused.status == 1 && refused.errors.contains("waiting for it"), "\(refused.summary)")
                #expect(refused.errors.contains("the backup has all through"), "\(refused.summary)")
                #expect(files.map { FileManager.default.contents(atPath: $0) } == before)
                // It comes level while it is waited for, with other frames.
                async let waiting = Program.run(create + ["25s"])
                try await cluster.append((0..<400).map { "of another length, and instead \($0)" })
                let made = try await waiting
                #expect(made.status == 0 && made.errors.contains("is given up"), "\(made.summary)")
                try await Self.expect(kept, last: 600, in: "\(kept)-restored")
            }
        }

        @Test func `a server that never answers does not hold up a backup of one that has`() async throws {
            try await TestCluster.with(nodes: 1, spare: 1) { cluster in
                try await cluster.append(["x"])
                let port = cluster.nodes[0].client.port + 10
                let silent = try #require(Ports.listener(on: port))
                let kept = "\(cluster.directory)/kept"
                async let making = Program.run([
                    "backup", "create", kept, "--server", "127.0.0.1:\(port),\(cluster.nodes[0].client)",
                ])
                // It would be given ten seconds.
                try await eventually("a backup", within: 8) { FileManager.default.fileExists(atPath: "\(kept)/BACKUP") }
                let made = try await making
                #expect(made.status == 0, "\(made.summary)")
                withExtendedLifetime(silent) {}
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
