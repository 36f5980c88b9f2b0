import Foundation
import Glibc
import HoldfastClient
import Testing

extension ClusterTests {
    /// What a node says when it cannot start, and how it stops.
    @Suite struct ServeTests {
        @Test func `A second node on the same directory is refused, and the first goes on`() async throws {
            try await TestCluster.with(nodes: 1) { cluster in
                let node = cluster.nodes[0]
                let process = try #require(cluster.process(node))
                let answer = try await Self.serve(1, node.dataDirectory, base: try Ports.freeBase(nodes: 1))
                #expect(answer.status == 78, "\(answer.summary)")
                #expect(
                    answer.errors.contains("another process has \(node.dataDirectory) open: "), "\(answer.summary)")
                #expect(answer.errors.contains("\(process)"), "it says which process: \(answer.summary)")
                #expect(answer.errors.contains("next: stop it"), "\(answer.summary)")
                try await cluster.append(["still here"])
                #expect(cluster.process(node) == process)
            }
        }

        @Test func `A node whose port is taken makes no directory`() async throws {
            try await TestCluster.with(nodes: 1) { cluster in
                let directory = "\(cluster.directory)/second"
                let answer = try await Self.serve(2, directory, base: cluster.nodes[0].client.port)
                #expect(answer.status == 78 && answer.errors.contains("the port is in use"), "\(answer.summary)")
                #expect(!FileManager.default.fileExists(atPath: directory))
            }
        }

        @Test func `Another node's directory is refused and not touched`() async throws {
            try await TestCluster.with(nodes: 1) { cluster in
                let node = cluster.nodes[0]
                try await cluster.append(["mine"])
                try await cluster.control("down")
                let before = try cluster.files(of: node)
                let answer = try await Self.serve(2, node.dataDirectory, base: try Ports.freeBase(nodes: 1))
                #expect(answer.status == 78, "\(answer.summary)")
                #expect(
                    answer.errors.contains("\(node.dataDirectory) belongs to node 1, and this is node 2"),
                    "\(answer.summary)")
                #expect(answer.errors.contains("next: "), "\(answer.summary)")
                let after = try cluster.files(of: node)
                #expect(Set(before.keys) == Set(after.keys))
                for (name, bytes) in before where name != "LOCK" {
                    let isSame = after[name] == bytes
                    #expect(isSame, "\(name) was changed")
                }
            }
        }

        @Test(arguments: [(0, "clients"), (1, "peers")])
        func `A port in use is named, and nothing runs`(offset: Int, listener: String) async throws {
            let scratch = try Scratch()
            defer { scratch.end() }
            let base = try Ports.freeBase(nodes: 1)
            let taken = try #require(Ports.listener(on: base + offset))
            defer { try? taken.close() }
            let answer = try await Self.serve(1, "\(scratch.path)/n1", base: base)
            #expect(answer.status == 78, "\(answer.summary)")
            #expect(
                answer.errors.contains(
                    "cannot listen on 127.0.0.1:\(base + offset) for \(listener): the port is in use"),
                "\(answer.summary)")
            #expect(answer.errors.contains("next: stop the other process"), "\(answer.summary)")

            let up = try await Program.run([
                "cluster", "up", "--data-dir", "\(scratch.path)/cluster", "--base-port", "\(base)",
            ])
            #expect(up.status == 78, "\(up.summary)")
            #expect(up.errors.contains("127.0.0.1:\(base + offset) is in use"), "\(up.summary)")
            #expect(Processes.naming(scratch.path).isEmpty)
        }

        @Test func `A mistake in the configuration is named with its source`() async throws {
            let scratch = try Scratch()
            defer { scratch.end() }
            let base = try Ports.freeBase(nodes: 1)
            try scratch.write("node:\n  id: 1\nsegmnet:\n  size: 1MiB\n", to: "wrong.yaml")
            let directory = "\(scratch.path)/n1"
            let file = "\(scratch.path)/wrong.yaml"
            let mistakes: [(arguments: [String], environment: [String: String], said: [String])] = [
                (["--config", file], [:], [file, "segmnet"]),
                (["--config", "\(scratch.path)/absent.yaml"], [:], ["absent.yaml"]),
                (["--segment-size", "5"], [:], ["--segment-size", "1MiB"]),
                ([], ["HOLDFAST_FSYNC_POLICY": "never"], ["HOLDFAST_FSYNC_POLICY", "never"]),
                (["--peer", "2=127.0.0.1:\(base + 11)/127.0.0.1:\(base + 10)"], [:], ["does not name this node"]),
                (
                    ["--listen", "0.0.0.0:\(base)"], [:],
                    ["0.0.0.0:\(base)", "tls.certificate", "auth.tokens", "--insecure"]
                ),
            ]
            for mistake in mistakes {
                let answer = try await Self.serve(
                    1, directory, base: base, mistake.arguments, environment: mistake.environment)
                #expect(answer.status == 78, "\(mistake.arguments): \(answer.summary)")
                for word in mistake.said { #expect(answer.errors.contains(word), "\(answer.summary)") }
                #expect(!FileManager.default.fileExists(atPath: directory), "\(mistake.arguments)")
            }
        }

        @Test func `A damaged directory is found by verify and not served`() async throws {
            try await TestCluster.with(nodes: 1) { cluster in
                let node = cluster.nodes[0]
                try await cluster.append(["needle"])
                try await cluster.control("down")
                let path = "\(node.dataDirectory)/000000.wal"
                var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
                let place = try #require(bytes.firstRange(of: Data("needle".utf8))).lowerBound
                bytes[place] ^= 1
                try bytes.write(to: URL(fileURLWithPath: path))
                let verify = try await Program.run(["verify", node.dataDirectory, "-o", "json"])
                #expect(verify.status == 65, "\(verify.summary)")
                let finding = try #require(try verify.json(VerifyReport.self).findings.first { $0.damage })
                #expect(finding.file == "000000.wal")
                #expect(finding.offset <= place && place < finding.offset + 200)
                let serve = try await Self.serve(1, node.dataDirectory, base: try Ports.freeBase(nodes: 1))
                #expect(serve.status == 65, "\(serve.summary)")
                #expect(serve.errors.contains("next: "), "\(serve.summary)")
                let isUntouched = try Data(contentsOf: URL(fileURLWithPath: path)) == bytes
                #expect(isUntouched)
            }
        }

        @Test func `SIGTERM ends a node with exit code 0 and a clean log`() async throws {
            let scratch = try Scratch()
            defer { scratch.end() }
            let base = try Ports.freeBase(nodes: 1)
            let directory = "\(scratch.path)/n1"
            async let served = Self.serve(1, directory, base: base)
            let server = "127.0.0.1:\(base)"
            let ready = try await Program.run(["status", "--wait-ready", "20s", "--server", server])
            #expect(ready.status == 0, "\(ready.summary)")
            let appended = try await Program.run(["append", "--server", server], input: "kept\n")
            #expect(appended.status == 0, "\(appended.summary)")
            for process in Processes.naming(directory) { kill(process, SIGTERM) }
            let answer = try await served
            #expect(answer.status == 0, "\(answer.summary)")
            let verify = try await Program.run(["verify", directory, "-o", "json"])
            #expect(try verify.json(VerifyReport.self).clean == true, "\(verify.summary)")
        }

        /// Runs a node that is alone: client port `base`, peer port `base` + 1.
        private static func serve(
            _ node: Int, _ directory: String, base: Int, _ more: [String] = [], environment: [String: String] = [:]
        ) async throws -> Program.Answer {
            let hasListen = more.contains("--listen")
            return try await Program.run(
                [
                    "serve", "--node-id", "\(node)", "--data-dir", directory,
                    "--peer-listen", "127.0.0.1:\(base + 1)",
                ] + (hasListen ? [] : ["--listen", "127.0.0.1:\(base)"]) + more,
                environment: environment, seconds: 20)
        }
    }
}
