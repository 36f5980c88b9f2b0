import Foundation
import Glibc
import HoldfastClient
import Testing

extension ClusterTests {
    /// Exit codes, text and JSON of the commands that people and scripts use most.
    @Suite struct CommandTests {
        @Test func `Output that finds no room is told of in one line, with exit code 71`() async throws {
            try await TestCluster.with(nodes: 1) { cluster in
                try await cluster.append(["one"])
                let holdfast = "'\(Program.path)'"
                let server = "--server \(cluster.nodes[0].client)"
                for command in ["read -n 1 \(server)", "status \(server)", "status -o json \(server)"] {
                    let answer = try await Program.run(
                        ["-c", "\(holdfast) \(command) > /dev/full"], executable: "/usr/bin/bash")
                    #expect(
                        answer.errors == "holdfast: the output cannot be written: No space left on device\n",
                        "\(command): \(answer.summary)")
                    #expect(answer.status == 71, "\(command): \(answer.summary)")
                }
            }
        }

        @Test func `What is appended is read back, as lines and as JSON`() async throws {
            struct Receipt: Decodable { var records, bytes, first, last, milliseconds: Int }
            struct Line: Decodable {
                var index, term: Int
                var position, timestamp, value: String
            }
            try await TestCluster.with { cluster in
                let appended = try await cluster.ask("append", "-o", "json", input: "one\ntwo\nthree")
                #expect(appended.status == 0, "\(appended.summary)")
                let receipt = try appended.json(Receipt.self)
                #expect(receipt.records == 3 && receipt.first == 1 && receipt.last == 3 && receipt.bytes == 11)
                let again = try await cluster.ask("append", input: "four\n")
                #expect(again.output.hasPrefix("appended 1 record, index 4, in "))
                let nothing = try await cluster.ask("append")
                #expect(nothing.status == 0 && nothing.output == "nothing to append\n", "\(nothing.summary)")

                #expect(try await cluster.ask("read").lines == ["one", "two", "three", "four"])
                #expect(try await cluster.ask("read", "--from", "2", "-n", "2").lines == ["two", "three"])
                #expect(try await cluster.ask("read", "--from", "2", "--to", "3").lines == ["two"])
                #expect(try await cluster.ask("read", "--from=-1").lines == ["four"])
                #expect(try await cluster.ask("read", "--from", "tail").output.isEmpty)
                #expect(try await cluster.ask("tail", "-n", "2").lines == ["three", "four"])
                let records = try await cluster.ask("read", "-o", "json").jsonLines(Line.self)
                #expect(records.map(\.index) == [1, 2, 3, 4])
                #expect(records.map(\.value) == ["one", "two", "three", "four"])
                for node in cluster.nodes {
                    let answer = try await cluster.ask("read", servers: [node.client])
                    #expect(answer.status == 0 && answer.lines.count == 4, "\(node.name): \(answer.summary)")
                }
                // A wrong name is found before anything is sent.
                let good = "\(cluster.directory)/good.txt"
                try "five\n".write(toFile: good, atomically: true, encoding: .utf8)
                for wrong in ["/absent/file", cluster.directory] {
                    let refused = try await cluster.ask("append", good, wrong)
                    #expect(refused.status == 1 && refused.errors.contains(wrong), "\(refused.summary)")
                    #expect(refused.errors.contains("applied: no"), "\(refused.summary)")
                }
                #expect(try await cluster.ask("read", "--from=-1").lines == ["four"])
                let keyed = try await cluster.ask("append", "--key", "order-1", good)
                #expect(keyed.output.hasPrefix("appended 1 record, index 5, in "), "\(keyed.summary)")
                let repeated = try await cluster.ask("append", "--key", "order-1", input: "other\n")
                #expect(repeated.output.hasPrefix("nothing was appended: this key had appended index 5 before"))
            }
        }

        @Test func `Status tells by its exit code what is missing`() async throws {
            struct Status: Decodable {
                struct Node: Decodable {
                    var node: UInt32?
                    var reachable: Bool
                    var status: ClusterStatus?
                }
                var leader: UInt32?
                var ready: Bool
                var nodes: [Node]
            }
            struct Leader: Decodable, Equatable {
                var leader: UInt32
                var name: String
            }
            try await TestCluster.with { cluster in
                let whole = try await cluster.ask("status", "-o", "json")
                #expect(whole.status == 0, "\(whole.summary)")
                let status = try whole.json(Status.self)
                let leader = try await cluster.leader().node
                #expect(status.leader == leader.number && status.ready)
                #expect(status.nodes.count == 3 && status.nodes.allSatisfy { $0.reachable && $0.status != nil })
                try await cluster.control("status")
                #expect(try await cluster.control("leader").output == "\(leader.name)\n")
                let named = try await cluster.control("leader", "-o", "json")
                #expect(try named.json(Leader.self) == Leader(leader: leader.number, name: leader.name))

                let follower = cluster.others(than: leader)[0]
                let killed = try await cluster.control("kill", follower.name, "-o", "json")
                #expect(try killed.json([String: [String]].self) == ["killed": [follower.name]])
                let degraded = try await cluster.ask("status", "-o", "json")
                #expect(degraded.status == 3, "\(degraded.summary)")
                #expect(try degraded.json(Status.self).nodes.count { !$0.reachable } == 1)
                let local = try await cluster.control("status", exits: 3)
                #expect(local.errors.contains("\(follower.name) not running"), "\(local.summary)")

                // What cannot be done to a node is refused by name.
                #expect(try await cluster.control("kill", follower.name, exits: 1).errors.contains("does not run"))
                #expect(try await cluster.control("start", leader.name, exits: 1).errors.contains("runs already"))
                #expect(try await cluster.control("kill", "n9", exits: 64).errors.contains("there is no node n9"))
                #expect(
                    try await cluster.control("start", "leader", exits: 64).errors.contains("say one of n1, n2, n3"))
                // Files are not written anew under processes that read them once.
                let running = try await cluster.control("up", "--fsync", "os", exits: 1)
                #expect(running.errors.contains("runs, with the settings"), "\(running.summary)")
                try await cluster.control("kill", "leader")
                let alone = try await cluster.ask("status", "--wait-ready", "100ms")
                #expect(alone.status == 69, "\(alone.summary)")
                let up = try await cluster.control("up", "-o", "json")
                #expect(try up.json(Status.self).nodes.count { $0.reachable } == 3, "\(up.summary)")
                try await cluster.control("down")
                let none = try await cluster.ask("status")
                #expect(none.status == 69 && none.errors.contains("no node answers"), "\(none.summary)")
                #expect(try await cluster.control("up", "-n", "5", exits: 1).errors.contains("has 3 nodes, not 5"))
                // Ports stay when only something else is said.
                let changed = try await cluster.control("up", "--fsync", "os", "-o", "json")
                #expect(try changed.json(Status.self).nodes.count == 3)
                #expect(try String(contentsOfFile: cluster.nodes[0].config, encoding: .utf8).contains("policy: os"))
                #expect(try await cluster.ask("status").status == 0)
            }
        }

        @Test func `Without a cluster commands say so`() async throws {
            let scratch = try Scratch()
            defer { scratch.end() }
            let server = ["--server", "127.0.0.1:\(try Ports.freeBase(nodes: 1))"]
            let append = try await Program.run(["append", "--timeout", "200ms"] + server, input: "x\n")
            #expect(append.status == 69 && append.errors.contains("applied: no"), "\(append.summary)")
            let read = try await Program.run(["read", "--timeout", "200ms"] + server)
            #expect(read.status == 69 && read.errors.contains("next: "), "\(read.summary)")
            for command in ["status", "kill", "down"] {
                let arguments = ["cluster", command] + (command == "kill" ? ["n1"] : [])
                let answer = try await Program.run(arguments + ["--data-dir", scratch.path])
                #expect(answer.status == 1 && answer.errors.contains("there is no cluster under"), "\(answer.summary)")
            }
            let verify = try await Program.run(["verify", scratch.path])
            #expect(verify.status == 64 && verify.errors.contains("holds no log"), "\(verify.summary)")
        }

        @Test(arguments: [
            (["stauts"], "'stauts'. Did you mean 'status'?"),
            (["config", "prnt"], "'prnt'. Did you mean 'print'?"),
            (["explain", "no-leadr"], "'no-leadr'. Did you mean 'no-leader'?"),
            (["serve", "--fsnyc", "os"], "Did you mean '--fsync'?"),
        ])
        func `A mistyped command or flag is answered with what was meant`(
            arguments: [String], words: String
        ) async throws {
            let answer = try await Program.run(arguments)
            #expect(answer.status == 64 && answer.errors.contains(words), "\(answer.summary)")
            let other = try await Program.run(["frobnicate"])
            #expect(other.status == 64 && !other.errors.contains("Did you mean"), "\(other.summary)")
        }

        @Test(arguments: [false, true])
        func `The failover test reports what it found as JSON, with TLS and without`(isSecure: Bool) async throws {
            struct Report: Decodable {
                var tls: Bool
                var kills, acknowledged, lost, duplicated, reordered, foreign, differing: Int
                var gaps_ms: [Double]
            }
            let scratch = try Scratch()
            defer { scratch.end() }
            let answer = try await Program.run(
                ["failover-test", "--kills", "2", "--data-dir", "\(scratch.path)/data", "-o", "json", "-q"]
                    + (isSecure ? ["--tls"] : []), seconds: 60)
            #expect(answer.status == 0, "\(answer.summary)")
            let report = try answer.json(Report.self)
            #expect(
                report.tls == isSecure && report.kills == 2 && report.gaps_ms.count == 2 && report.acknowledged >= 200)
            #expect(report.lost + report.duplicated + report.reordered + report.foreign + report.differing == 0)
            #expect(!FileManager.default.fileExists(atPath: "\(scratch.path)/data"))
            #expect(Processes.naming(scratch.path).isEmpty)
        }
    }
}
