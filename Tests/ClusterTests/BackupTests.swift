import Foundation
import Glibc
import HoldfastClient
import LogModel
import Testing

extension ClusterTests {
    @Suite struct BackupTests {
        @Test func `a backup under load, whose leader is killed, is restored with all that was acknowledged before`()
            async throws
        {
            try await TestCluster.with { cluster in
                try await cluster.append((0..<3_000).map { "early \($0) " + String(repeating: "x", count: 1_000) })
                let keyed = try await cluster.ask("append", "--key", "order-1", input: "keyed\n")
                try #require(keyed.status == 0, "\(keyed.summary)")
                _ = try await cluster.ask("cursor", "set", "billing", "7")
                let directory = "\(cluster.directory)/backup"
                _ = try await Load.run(producers: 1, readers: 0, on: cluster) { _ in
                    let leader = try await cluster.leader().node
                    let others = cluster.others(than: leader)
                    async let made = Self.create(directory, "--rate", "4MiB", of: [leader] + others)
                    try await Self.untilBegun(directory)
                    try await cluster.kill([leader])
                    let first = try await made
                    #expect(first.backup.lastIndex >= 3_001 && first.copiedBytes == first.backup.bytes)
                    let second = try await Self.create(directory, of: others)
                    #expect(second.backup.lastIndex > first.backup.lastIndex && second.keptBytes == 0)
                    #expect(second.copiedBytes == second.backup.bytes - first.backup.bytes)
                }
                let backup = try await Self.verify(directory)
                #expect(!backup.damaged && backup.records == Int(backup.backup.lastIndex))
                let survivor = try await cluster.leader().node
                let log = try await cluster.wholeLog(of: survivor)
                try await Self.expectRestored(directory, from: cluster, log: log, last: backup.backup.lastIndex)
            }
        }

        @Test func `a backup that is killed goes on, finds damage, and takes what a node cannot give from another`()
            async throws
        {
            try await TestCluster.with { cluster in
                try await cluster.append((0..<4_000).map { "\($0) " + String(repeating: "x", count: 1_000) })
                try await cluster.untilLevel()
                let directory = "\(cluster.directory)/backup"
                async let killed = cluster.ask("backup", "create", directory, "--rate", "1MiB")
                try await Self.untilBegun(directory)
                let busy = try await cluster.ask("backup", "create", directory)
                #expect(busy.status == 1 && busy.errors.contains("in use by pid"), "\(busy.summary)")
                for process in Processes.naming(directory) { Glibc.kill(process, SIGKILL) }
                #expect(try await killed.status == -SIGKILL)
                let unfinished = try await Program.run(["backup", "verify", directory])
                #expect(unfinished.status == 64 && unfinished.errors.contains("create"), "\(unfinished.summary)")

                let node = cluster.nodes[2]
                try await cluster.control("corrupt", node.name, "--running", "--segment", "1")
                let servers = [node] + cluster.others(than: node)
                let mended = try await cluster.ask(
                    "backup", "create", "\(directory)-2", servers: servers.map(\.client))
                #expect(mended.status == 0 && mended.errors.contains("going on with"), "\(mended.summary)")
                #expect(try await Self.verify("\(directory)-2").damaged == false)
                try await cluster.control("down")
                let sealed = try Data(contentsOf: URL(fileURLWithPath: "\(node.dataDirectory)/000002.wal"))
                try Self.flip("\(node.dataDirectory)/000002.wal", at: sealed.count / 2)
                let refused = try await Program.run(
                    ["backup", "create", directory, "--data-dir", node.dataDirectory])
                #expect(refused.status == 65 && refused.errors.contains("000002.wal"), "\(refused.summary)")
                let made = try await Program.run(
                    ["backup", "create", directory, "--data-dir", cluster.nodes[0].dataDirectory, "-o", "json"])
                let document = try Self.decode(Created.self, made)
                #expect(document.keptBytes > 0 && document.keptBytes + document.copiedBytes == document.backup.bytes)
                #expect(try await Self.verify(directory).damaged == false)

                try Self.flip("\(directory)/000001.wal", at: 500_000)
                let damaged = try await Program.run(["backup", "verify", directory])
                #expect(damaged.status == 65 && damaged.output.contains("000001.wal bytes "), "\(damaged.summary)")
                let unrestored = try await Program.run(
                    ["backup", "restore", directory, "--data-dir", "\(directory)-r", "--node-id", "1"])
                #expect(unrestored.status == 65 && unrestored.errors.contains("000001.wal"), "\(unrestored.summary)")
                let half = try await Program.run(["serve", "--data-dir", "\(directory)-r", "--node-id", "1"])
                #expect(half.status == 65 && half.errors.contains("begins anew"), "\(half.summary)")
            }
        }

        @Test func `damage that no other server makes good is said of the one that has it`() async throws {
            try await TestCluster.with(nodes: 1) { cluster in
                try await cluster.append((0..<3_000).map { "\($0) " + String(repeating: "x", count: 1_000) })
                let node = cluster.nodes[0]
                try await cluster.control("corrupt", node.name, "--running", "--segment", "1")
                let silent = ServerAddress(host: "127.0.0.1", port: try Ports.freeBase())
                for servers in [[node.client, silent], [silent, node.client]] {
                    let refused = try await cluster.ask(
                        "backup", "create", "\(cluster.directory)/backup", "--timeout", "500ms", servers: servers)
                    #expect(refused.status == 65, "\(refused.summary)")
                    #expect(refused.errors.contains("holdfast: \(node.client): DAMAGED"), "\(refused.summary)")
                }
            }
        }

        @Test func `the article's commands make, check and restore a backup as it says`() async throws {
            let article = try Document("Sources/HoldfastNode/HoldfastNode.docc/Backup.md")
            let commands = ["## Making one", "## Checking", "## Restoring"].flatMap { article.commands(under: $0) }
            try #require(commands.count == 8)
            try await TestCluster.with(nodes: 1) { cluster in
                try await cluster.append((1...20).map { "line \($0)" })
                let base = try Ports.freeBase()
                for command in commands {
                    let line = command.line.replacing("7500", with: "\(base)")
                    let answer = try await cluster.shell(line)
                    #expect(answer.status == 0, "\(line): \(answer.summary)")
                    let said = command.output.split(separator: "\n").map { $0.prefix { $0 != " " } }
                    let says = answer.output.split(separator: "\n").map { $0.prefix { $0 != " " } }
                    #expect(said.allSatisfy { says.contains($0) }, "\(line): \(answer.summary)")
                }
            }
        }

        @Test func `the README's lines about backups do what they say`() async throws {
            let block = try #require(try Document("README.md").blocks("", under: "## Backups").first)
            // A command, then what it is for.
            let lines = block.split(separator: "\n").map { line in
                String(line[..<(line.range(of: "    ")?.lowerBound ?? line.endIndex)])
                    .replacing(" DIR", with: " copy").replacing("--data-dir D ", with: "--data-dir restored ")
            }
            try #require(lines.map { $0.split(separator: " ")[2] } == ["create", "verify", "restore"])
            try await TestCluster.with(nodes: 1) { cluster in
                try await cluster.append((1...20).map { "line \($0)" })
                for line in lines {
                    let answer = try await cluster.shell(line)
                    #expect(answer.status == 0 && answer.output.contains("20"), "\(line): \(answer.summary)")
                }
                let restored = try await cluster.shell("holdfast verify restored")
                #expect(restored.status == 0, "\(restored.summary)")
            }
        }

        // MARK: Steps

        private struct Created: Decodable {
            struct Contents: Decodable { var lastIndex: UInt64, bytes: Int }
            var backup: Contents
            var copiedBytes, keptBytes: Int
        }

        private struct Verified: Decodable {
            var backup: Created.Contents
            var records: Int
            var damaged: Bool
        }

        private static func decode<Value: Decodable>(_ type: Value.Type, _ answer: Program.Answer) throws -> Value {
            try #require(answer.status == 0, "\(answer.summary)")
            let decoder = JSONDecoder()
            decoder.keyDecodingStrategy = .convertFromSnakeCase
            return try decoder.decode(type, from: Data(answer.output.utf8))
        }

        private static func create(
            _ directory: String, _ options: String..., of nodes: [TestCluster.Node]
        ) async throws -> Created {
            let servers = nodes.map(\.client.description).joined(separator: ",")
            let answer = try await Program.run(
                ["backup", "create", directory, "--server", servers, "-o", "json"] + options)
            return try self.decode(Created.self, answer)
        }

        private static func verify(_ directory: String) async throws -> Verified {
            try self.decode(Verified.self, try await Program.run(["backup", "verify", directory, "-o", "json"]))
        }

        private static func untilBegun(_ directory: String) async throws {
            try await eventually("the first segment to be copied") {
                ((try? FileManager.default.attributesOfItem(atPath: "\(directory)/000000.wal"))?[.size] as? Int ?? 0)
                    > 0
            }
        }

        private static func flip(_ path: String, at offset: Int) throws {
            let file = try FileHandle(forUpdating: URL(fileURLWithPath: path))
            try file.seek(toOffset: UInt64(offset))
            let byte = try #require(try file.read(upToCount: 1)?.first)
            try file.seek(toOffset: UInt64(offset))
            try file.write(contentsOf: Data([byte ^ 0x10]))
            try file.close()
        }

        /// A cluster of three grows from the restored node, and has nothing to do with the old one.
        private static func expectRestored(
            _ backup: String, from old: TestCluster, log: [IndexedRecord], last: UInt64
        ) async throws {
            let directory = "\(old.directory)/restored"
            let restored = try await Program.run(
                ["backup", "restore", backup, "--data-dir", "\(directory)/n1", "--node-id", "1"])
            try #require(restored.status == 0, "\(restored.summary)")
            let base = try Ports.freeBase()
            func control(_ arguments: String...) async throws {
                let answer = try await Program.run(["cluster"] + arguments + ["--data-dir", directory], seconds: 60)
                try #require(answer.status == 0, "\(arguments): \(answer.summary)")
            }
            try await control("up", "-n", "1", "--base-port", "\(base)", "--segment-size", "1MiB")
            let server = ServerAddress(host: "127.0.0.1", port: base)
            func ask(_ arguments: String..., input: String? = nil) async throws -> Program.Answer {
                try await Program.run(arguments + ["--server", "\(server)"], input: input)
            }
            let again = try await ask("append", "--key", "order-1", input: "keyed\n")
            #expect(again.status == 0 && again.output.contains("3001"), "\(again.summary)")
            #expect(try await ask("cursor", "get", "billing").output.contains("7"))
            let stranger = try #require(old.nodes.last { old.process($0) != nil })
            let foreign = try await ask(
                "member", "add", "\(stranger.number)", "--peer", "\(stranger.peer)", "--client", "\(stranger.client)")
            #expect(foreign.status == 1 && foreign.errors.contains("OTHER_CLUSTER"), "\(foreign.summary)")

            try await control("add")
            try await control("add")
            let appended = try await ask("append", "--ack", "all", input: "of the new cluster\n")
            #expect(appended.status == 0, "\(appended.summary)")
            let client = HoldfastClient(servers: [server], timeoutMilliseconds: 5_000)
            for node in 0..<3 {
                var records: [IndexedRecord] = []
                let address = ServerAddress(host: "127.0.0.1", port: base + node * 10)
                try await eventually("all records at \(address)") {
                    records = try await self.records(client, at: address)
                    return records.count == Int(last) + 1
                }
                #expect(records.dropLast() == log.prefix(Int(last)))
                #expect(records.last?.text == "of the new cluster")
            }
            await client.shutdown()
            try await control("down")
        }

        private static func records(
            _ client: HoldfastClient, at server: ServerAddress
        ) async throws -> [IndexedRecord] {
            var records: [IndexedRecord] = []
            while true {
                let next = LogIndex(UInt64(records.count) + 1)
                let page = try await client.read(
                    from: .index(next), limit: 5_000, consistency: .committed, at: server)
                records += page.records
                if page.isUpToDate || page.records.isEmpty { return records }
            }
        }
    }
}
