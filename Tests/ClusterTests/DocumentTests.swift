import Foundation
import Glibc
import HoldfastClient
import LogModel
import Testing

extension ClusterTests {
    /// What the README and the pages tell people to type does what they say.
    @Suite struct DocumentTests {
        /// What differs from run to run.
        private static func settled(_ text: String) -> String {
            text.replacing(#/"timestamp":"[^"]*"/#, with: #""timestamp":"T""#)
                .replacing(#/"request_id":"[^"]*"/#, with: #""request_id":"R""#)
                .replacing(#/"term":\d+/#, with: #""term":1"#).replacing(#/"nodes":\d/#, with: #""nodes":2"#)
        }

        @Test func `the README's curl commands answer what it says`() async throws {
            let commands = try Document("README.md").commands(under: "## From any language")
            try #require(commands.count >= 6)
            try await TestCluster.with { cluster in
                for command in commands {
                    let isEndless = command.line.contains("follow=true")
                    let answer = try await cluster.shell(command.line, endedAfter: isEndless ? 0.5 : nil)
                    #expect(answer.status == (isEndless ? -SIGKILL : 0), "\(command.line): \(answer.summary)")
                    #expect(
                        Self.settled(answer.output).trimmingCharacters(in: .whitespacesAndNewlines)
                            == Self.settled(command.output).trimmingCharacters(in: .whitespacesAndNewlines),
                        "\(command.line)")
                }
            }
        }

        @Test func `a newcomer's first commands do what the README says`() async throws {
            try await TestCluster.with { cluster in
                let scripts = try Document("README.md").commands(under: "## A cluster to play with").map(\.line)
                // A journal is not everywhere.
                let lines = scripts.filter { $0.contains("$holdfast ") && !$0.contains("journalctl") }
                try #require(lines.count >= 4)
                try await cluster.append((1...20).map { "line \($0)" })
                for line in lines {
                    let isEndless = line.contains(" -f") || line.contains("--watch")
                    let answer = try await cluster.shell(line, endedAfter: isEndless ? 1 : nil)
                    #expect(answer.status == (isEndless ? -SIGKILL : 0), "\(line): \(answer.summary)")
                    #expect(!answer.output.isEmpty || line.contains(">copy"), "\(line)")
                }
                let hi = try await cluster.shell(try #require(lines.first { $0.hasPrefix("echo hi") }))
                #expect(hi.lines.last == "hi", "\(hi.summary)")
            }
        }

        @Test func `scripts/cluster starts, kills, pauses and stops three nodes as the README says`() async throws {
            let scratch = try Scratch()
            defer { scratch.end() }
            let base = try Self.copyScripts(to: scratch)
            var killed = ""
            let commands = try Document("README.md").commands(under: "## A cluster to play with").map(\.line)
            let lines = commands.filter { $0.hasPrefix("scripts/") }
            try #require(lines.first == "scripts/cluster up" && lines.last == "scripts/cluster down")
            for line in lines {
                let line = line.hasPrefix("scripts/cluster start") ? "scripts/cluster start \(killed)" : line
                let answer = try await Self.run(line, in: scratch, base: base)
                #expect(answer.status == 0, "\(line): \(answer.summary)")
                if line.contains("kill") { killed = answer.output.split(separator: " ").last?.trimmed ?? "" }
            }
        }

        @Test func `what the README says to try beside the dashboard is there`() async throws {
            let words = #/`scripts/cluster (kill leader)`, `(pause n3)`, and `(corrupt n3 --running)` beside it/#
            let text = try String(contentsOfFile: "\(Document.root)/README.md", encoding: .utf8)
            let (_, kill, pause, corrupt) = try #require(text.firstMatch(of: words)).output
            let scratch = try Scratch()
            defer { scratch.end() }
            let base = try Self.copyScripts(to: scratch)
            // One after the other, each got over first: n3 may be the leader.
            let isOver = "\"$HOLDFAST_BINARY\" status --wait-ready 30s"
            for line in ["up", String(corrupt), isOver, String(pause), "resume n3", isOver, String(kill), "down"] {
                let line = line == isOver ? line : "scripts/cluster \(line)"
                let answer = try await Self.run(line, in: scratch, base: base)
                #expect(answer.status == 0, "\(line): \(answer.summary)")
            }
        }

        /// `scripts` and `cluster` of the repository, with nodes on other ports.
        ///
        /// - Returns: The first node's port for clients.
        private static func copyScripts(to scratch: Scratch) throws -> Int {
            let base = try Ports.freeBase(nodes: 3)
            for part in ["scripts", "cluster"] {
                try FileManager.default.copyItem(
                    atPath: "\(Document.root)/\(part)", toPath: "\(scratch.path)/\(part)")
            }
            for node in 1...3 {
                let text = try scratch.text("cluster/n\(node).yaml")
                let placed = text.replacing(#/127\.0\.0\.1:74(\d\d)/#) { "127.0.0.1:\(base + (Int($0.1) ?? 0))" }
                try scratch.write(placed, to: "cluster/n\(node).yaml")
            }
            return base
        }

        private static func run(_ line: String, in scratch: Scratch, base: Int) async throws -> Program.Answer {
            try await Program.run(
                ["-c", "cd '\(scratch.path)' && \(line)"], executable: "/usr/bin/bash",
                environment: [
                    "HOLDFAST_BINARY": Program.path,
                    "HOLDFAST_SERVER": (0..<3).map { "127.0.0.1:\(base + $0 * 10)" }.joined(separator: ","),
                ], seconds: 40)
        }

        @Test func `scripts/quickstart says that nothing was lost`() async throws {
            let answer = try await Program.run(
                ["scripts/quickstart"], executable: "/usr/bin/env",
                // What a shell has of another cluster does not count.
                environment: ["HOLDFAST_BINARY": Program.path, "HOLDFAST_TLS_CA": "/absent.pem"],
                directory: Document.root, seconds: 60)
            #expect(answer.status == 0, "\(answer.summary)")
            #expect(answer.output.contains("in order: 0 lost, 0 duplicated"), "\(answer.summary)")
        }

        @Test func `scripts/quickstart that is stopped says so, and leaves nothing`() async throws {
            let scratch = try Scratch()
            defer { scratch.end() }
            let script = """
                # Whoever runs the tests may ignore the signal.
                env --default-signal=TERM scripts/quickstart >"$0/out" & pid=$!
                until grep -q leads "$0/out"; do kill -0 $pid || exit 1; sleep 0.05; done
                kill -TERM $pid; wait $pid
                """
            let answer = try await Program.run(
                ["-c", script, scratch.path], executable: "/usr/bin/bash",
                environment: ["HOLDFAST_BINARY": Program.path, "TMPDIR": scratch.path],
                directory: Document.root, seconds: 60)
            #expect(answer.status == 130 && answer.errors.contains("quickstart: stopped"), "\(answer.summary)")
            #expect(!answer.errors.contains("failed"), "\(answer.summary)")
            #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path) == ["out"])
        }

        @Test(arguments: ["cluster", "soak", "test"])
        func `a script refuses a word that there is not before it builds`(script: String) async throws {
            let answer = try await Program.run(
                ["scripts/\(script)", "frobnicate"], executable: "/usr/bin/env", directory: Document.root)
            #expect(answer.status == 64 && answer.output.isEmpty, "\(answer.summary)")
            #expect(answer.errors.contains("there is no \"frobnicate\""), "\(answer.summary)")
        }

        @Test func `scripts/quickstart --keep leaves a cluster with which everything that it says can be tried`()
            async throws
        {
            let scratch = try Scratch()
            defer { scratch.end() }
            // What the shell has of another cluster is to go first.
            let foreign = ["HOLDFAST_TLS_CA": "/absent.pem"]
            let kept = try await Program.run(
                ["scripts/quickstart", "--keep"], executable: "/usr/bin/env",
                environment: foreign.merging(["HOLDFAST_BINARY": Program.path, "TMPDIR": scratch.path]) { $1 },
                directory: Document.root, seconds: 60)
            try #require(kept.status == 0, "\(kept.summary)")
            let said = try #require(kept.output.split(separator: "\nTry:\n").last).split(separator: "\n")
            let commands = said.map { $0.trimmingCharacters(in: .whitespaces) }
            #expect(commands.first == "unset HOLDFAST_TLS_CA", "\(kept.summary)")
            try #require(commands.count >= 6 && commands.last?.contains("cluster down") == true, "\(kept.summary)")
            let answer = try await Program.run(
                ["-c", "set -e -o pipefail\n" + commands.joined(separator: "\n")], executable: "/usr/bin/bash",
                environment: foreign, seconds: 60)
            #expect(answer.status == 0, "\(answer.summary)")
            #expect(answer.lines.contains("hello"), "\(answer.summary)")
            // The last of them removes everything.
            let left = try FileManager.default.contentsOfDirectory(atPath: scratch.path)
            #expect(!left.contains { $0.hasPrefix("holdfast-quickstart") }, "\(left)")
        }

        @Test func `a load that runs over the death of its leader finds nothing lost, as the README says`() async throws
        {
            let commands = try Document("README.md").commands(under: "## Measuring").map(\.line)
            let load = try #require(commands.first { $0.contains("--verify") && $0.hasSuffix(" &") })
            let kill = try #require(commands.first { $0.contains("cluster kill leader") })
            try await TestCluster.with { cluster in
                let brief = load.replacing("30s", with: "3s").dropLast(2)
                let rest = kill.split(separator: ";").dropLast().joined(separator: ";")
                let answer = try await cluster.shell("\(brief) & sleep 1; \(rest); wait $!")
                #expect(answer.status == 0, "\(answer.summary)")
                #expect(answer.output.contains("0 lost, 0 duplicated"), "\(answer.summary)")
            }
        }

        @Test func `status --watch shows the next leader once the first is dead, as the README says`() async throws {
            let commands = try Document("README.md").commands(under: "## Measuring").map(\.line)
            let kill = try #require(commands.first { $0.contains("cluster kill leader") && $0.hasSuffix("--watch") })
            try await TestCluster.with { cluster in
                let (old, term) = try await cluster.leader()
                // The watch goes on for ever: it is ended once what it has printed names another leader.
                let lines = kill.replacing(
                    "$holdfast status --watch",
                    with: """
                        $holdfast status --watch >watched &
                        watch=$!
                        trap 'kill -9 $watch' EXIT
                        until grep -E '^n[0-9] +leader' watched | grep -qv '^\(old.name) '; do sleep 0.05; done
                        cat watched
                        """)
                let answer = try await cluster.shell(lines)
                let leader = try await cluster.leader(after: term).node
                #expect(answer.status == 0, "\(answer.summary)")
                #expect(answer.output.contains("killed \(old.name)"), "\(answer.summary)")
                let rows = answer.lines.map { $0.split(separator: " ").map(String.init) }
                #expect(
                    rows.contains { $0.starts(with: [leader.name, "leader"]) }
                        && rows.contains { $0.starts(with: [old.name, "silent"]) }, "\(answer.summary)")
            }
        }

        @Test func `a node whose segment is corrupted says so and gets it back, as the README says`() async throws {
            let commands = try Document("README.md").commands(under: "## Looking into a data directory").map(\.line)
            try #require(commands.count == 3 && commands[0].contains("corrupt"))
            try await TestCluster.with { cluster in
                try await cluster.append((1...200).map { "line \($0)" })
                try await cluster.untilLevel()
                let corrupted = try await cluster.shell(commands[0])
                #expect(corrupted.status == 0 && corrupted.output.contains("000000.wal"), "\(corrupted.summary)")
                let verified = try await cluster.shell(commands[1])
                #expect(verified.status == 65 && verified.output.contains("000000.wal"), "\(verified.summary)")
                let started = try await cluster.shell(commands[2])
                #expect(started.status == 0, "\(started.summary)")
                try await cluster.untilLevel()
                try await cluster.control("down")
                try await cluster.expectSound(cluster.nodes[2])
                try cluster.expectEqualSealedSegments()
            }
        }
    }
}

extension Substring {
    fileprivate var trimmed: String { self.trimmingCharacters(in: .whitespacesAndNewlines) }
}
