import Foundation
import Testing

extension ClusterTests {
    /// `holdfast config`: what a person or a script learns of a configuration before a node is started.
    @Suite struct ConfigTests {
        private struct Check: Decodable {
            var sound: Bool
            var problems: [String]
            var warnings: [String]
        }

        private struct Values: Decodable {
            struct Value: Decodable, Equatable {
                var key: String
                var value: String
                var source: String
                var name: String?
            }
            var values: [Value]
        }

        private struct Keys: Decodable {
            struct Key: Decodable {
                var key: String
                var flag: String
                var environment: String
                var live: Bool
            }
            var keys: [Key]
        }

        @Test func `check says that a configuration is sound, or all that is wrong`() async throws {
            let scratch = try Scratch()
            defer { scratch.end() }
            try scratch.write("node:\n  id: 1\ndata:\n  directory: d\nfsync:\n  policy: os\n", to: "good.yaml")
            let good = ["--config", "\(scratch.path)/good.yaml"]
            let sound = try await Program.run(["config", "check"] + good)
            #expect(sound.status == 0 && sound.lines.last == "sound, with 1 warning", "\(sound.summary)")
            #expect(sound.lines.first?.hasPrefix("unwise: fsync.policy: ") == true, "\(sound.summary)")

            try scratch.write("node:\n  id: 0\nsegmnet:\n  size: 1MiB\n", to: "bad.yaml")
            let bad = "\(scratch.path)/bad.yaml"
            let answer = try await Program.run(
                ["config", "check", "--heartbeat", "50", "-o", "json"],
                environment: ["HOLDFAST_CONFIG": bad, "HOLDFAST_LOG_LEVEL": "loud"])
            #expect(answer.status == 78, "\(answer.summary)")
            let document = try answer.json(Check.self)
            #expect(!document.sound && document.problems.count == 5, "\(answer.summary)")
            #expect(document.problems.contains("\(bad):4: unknown key segmnet.size; did you mean segment.size?"))
            for problem in document.problems { #expect(answer.errors.contains(problem), "\(answer.summary)") }
            #expect(answer.errors.hasPrefix("holdfast: 5 mistakes in the configuration:\n"), "\(answer.summary)")
        }

        @Test func `where a file is at fault, check says to look at it`() async throws {
            let scratch = try Scratch()
            defer { scratch.end() }
            let path = "\(scratch.path)/n1.yaml"
            try scratch.write("node\n", to: "malformed.yaml")
            try scratch.write("not a certificate", to: "ca.pem")
            try scratch.write("not tokens", to: "tokens")
            let node = "node:\n  id: 1\ndata:\n  directory: d\n"
            let cases: [(text: String, hint: String)] = [
                ("\(node)auth:\n  tokens: \(scratch.path)/tokens\n", "look at the file \(scratch.path)/tokens"),
                (
                    "\(node)tls:\n  certificate: \(scratch.path)/ca.pem\n  key: \(scratch.path)/tokens\n"
                        + "  ca: \(scratch.path)/ca.pem\n", "certs show \(scratch.path)/ca.pem"
                ),
                ("\(node)  - of: [\n", "look at line 5 of \(path)"),
                ("\(node)segment:\n  size: much\n", "config keys"),
            ]
            for (text, hint) in cases {
                try scratch.write(text, to: "n1.yaml")
                let answer = try await Program.run(["config", "check", "--config", path])
                #expect(answer.status == 78 && answer.errors.contains(hint), "\(hint): \(answer.summary)")
                #expect(answer.errors.contains("config keys") == (hint == "config keys"), "\(answer.summary)")
            }
            let absent = try await Program.run(["config", "check", "--config", "\(scratch.path)/absent.yaml"])
            #expect(absent.errors.contains("see that \(scratch.path)/absent.yaml is there"), "\(absent.summary)")
        }

        @Test func `print shows who said each value`() async throws {
            let scratch = try Scratch()
            defer { scratch.end() }
            try scratch.write("node:\n  id: 7\nsegment:\n  size: 2MiB\n", to: "n7.yaml")
            let file = "\(scratch.path)/n7.yaml"
            let arguments = ["config", "print", "--config", file, "--data-dir", "d"]
            let environment = ["HOLDFAST_LOG_LEVEL": "error"]
            let answer = try await Program.run(arguments + ["-o", "json"], environment: environment)
            #expect(answer.status == 0, "\(answer.summary)")
            let values = try answer.json(Values.self).values
            let expected: [Values.Value] = [
                .init(key: "node.id", value: "7", source: "file", name: "\(file):2"),
                .init(key: "data.directory", value: "d", source: "flag", name: "--data-dir"),
                .init(key: "segment.size", value: "2MiB", source: "file", name: "\(file):4"),
                .init(key: "log.level", value: "error", source: "environment", name: "HOLDFAST_LOG_LEVEL"),
                .init(key: "fsync.policy", value: "always", source: "default"),
                .init(key: "peers", value: "7=127.0.0.1:7401/127.0.0.1:7400", source: "default"),
            ]
            for value in expected { #expect(values.contains(value), "\(answer.summary)") }
            let table = try await Program.run(arguments, environment: environment)
            #expect(table.lines.first?.hasPrefix("KEY") == true && table.lines.count == values.count + 1)
            // Mistakes are told, and the rest is shown.
            let wrong = try await Program.run(arguments + ["--heartbeat", "50"])
            #expect(wrong.status == 78 && wrong.output.contains("segment.size"), "\(wrong.summary)")
            #expect(wrong.errors.contains("--heartbeat: election.heartbeat is \"50\""), "\(wrong.summary)")
        }

        @Test func `the README's commands about configuration work`() async throws {
            let commands = try Document("README.md").commands(under: "## Configuration").map(\.line)
            try #require(commands.count == 3)
            for line in commands {
                let answer = try await Program.run(
                    ["-c", line], executable: "/usr/bin/bash", environment: ["holdfast": Program.path],
                    directory: Document.root)
                #expect(answer.status == 0 && !answer.output.isEmpty, "\(line): \(answer.summary)")
            }
        }

        @Test func `every key of the registry is a flag of serve`() async throws {
            let keys = try await Program.run(["config", "keys", "-o", "json"]).json(Keys.self).keys
            let help = try await Program.run(["serve", "--help"])
            #expect(keys.count > 10 && keys.count { $0.live } >= 3)
            for key in keys {
                #expect(help.output.contains("  \(key.flag)"), "\(key.key)")
                #expect(help.output.contains("\(key.key): "), "\(key.key)")
            }
            let text = try await Program.run(["config", "keys"])
            for key in keys {
                #expect(text.lines.contains("\(key.key)  \(key.flag)  \(key.environment)"), "\(text.summary)")
            }
        }
    }
}
