import Foundation
import Testing

extension ClusterTests {
    /// What the program says of itself: help, completions, colours.
    @Suite struct HelpTests {
        /// One command of `holdfast --experimental-dump-help`.
        private struct Command: Decodable {
            struct Argument: Decodable {
                struct Name: Decodable { var kind, name: String }
                var names: [Name]?
            }
            var commandName: String
            var abstract, discussion: String?
            var shouldDisplay: Bool?
            var arguments: [Argument]?
            var subcommands: [Command]?

            var shown: [Command] {
                (self.subcommands ?? []).filter { $0.shouldDisplay ?? true && $0.commandName != "help" }
            }
            var examples: [Substring] {
                (self.discussion ?? "").split(separator: "\n").filter { $0.hasPrefix("Example: ") }.map {
                    $0.dropFirst(9)
                }
            }
            /// `--long` and `-s`.
            var options: Set<String> {
                Set(
                    (self.arguments ?? []).flatMap { $0.names ?? [] }.map {
                        $0.kind == "short" ? "-\($0.name)" : "--\($0.name)"
                    })
            }
        }

        private static func tree() async throws -> Command {
            struct Dump: Decodable { var command: Command }
            return try await Program.run(["--experimental-dump-help"]).json(Dump.self).command
        }

        private static func all(_ command: Command, path: [String]) -> [(path: [String], command: Command)] {
            [(path, command)] + command.shown.flatMap { self.all($0, path: path + [$0.commandName]) }
        }

        @Test func `Every command has an example, whose commands and options there are`() async throws {
            let root = try await Self.tree()
            let all = Self.all(root, path: ["holdfast"])
            #expect(all.count > 40)
            for (path, command) in all {
                let name = path.joined(separator: " ")
                #expect(!(command.abstract ?? "").isEmpty, "\(name) has no abstract")
                #expect(command.examples.contains { $0.contains(name) }, "\(name) has no example")
                for example in command.examples {
                    // Longer ones are broken, and cannot be copied.
                    #expect(example.count <= 71, "\(name): \(example)")
                    for part in example.split(whereSeparator: { ";|&$()\"".contains($0) }) {
                        let words = part.split(separator: " ").map(String.init)
                        guard words.first == "holdfast" else { continue }
                        try Self.expect(words.dropFirst(), in: root, of: name)
                    }
                }
            }
        }

        /// Words after `holdfast` name a command, and options that it has.
        private static func expect(_ words: ArraySlice<String>, in root: Command, of name: String) throws {
            var command = root
            var rest = words
            while let word = rest.first, let next = command.shown.first(where: { $0.commandName == word }) {
                command = next
                rest = rest.dropFirst()
            }
            #expect(command.shown.isEmpty, "\(name): \(words.joined(separator: " ")) names no command")
            for word in rest where word.hasPrefix("-") && Int(word) == nil {
                #expect(command.options.contains(word), "\(name): there is no \(word)")
            }
        }

        @Test func `The completions of bash know commands, options' values and the nodes of the cluster that is there`()
            async throws
        {
            let scratch = try Scratch()
            defer { scratch.end() }
            for shell in ["zsh", "fish", "bash"] {
                let script = try await Program.run(["--generate-completion-script", shell])
                #expect(script.status == 0 && script.output.contains("corrupt"), "\(script.summary)")
                try scratch.write(script.output, to: "completions")
            }
            try FileManager.default.createDirectory(
                atPath: "\(scratch.path)/data/run", withIntermediateDirectories: true)
            for node in 1...2 {
                try scratch.write("\(node) 127.0.0.1:1 127.0.0.1:2 127.0.0.1:3 none\n", to: "data/run/n\(node).node")
            }
            let offered: [(words: String, answers: String)] = [
                ("clus", "cluster"), ("cluster kill ''", "leader n1 n2"), ("cluster corrupt n", "n1 n2"),
                ("transfer-leader --to ''", "n1 n2"), ("bench re", "read"), ("read --format b", "base64"),
                ("status --output ''", "table json"),
            ]
            let directory = URL(fileURLWithPath: Program.path).deletingLastPathComponent().path
            try scratch.write(
                """
                cd '\(scratch.path)'; PATH='\(directory)':"$PATH"; source ./completions
                offered() {
                    COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"; COMP_POINT=${#COMP_LINE}
                    COMPREPLY=(); _holdfast holdfast "${COMP_WORDS[$COMP_CWORD]}" "${COMP_WORDS[$COMP_CWORD - 1]}"
                    echo "${COMPREPLY[*]}"
                }
                \(offered.map { "offered holdfast \($0.words)" }.joined(separator: "\n"))
                """, to: "script")
            let shell = Process()
            shell.executableURL = URL(fileURLWithPath: "/bin/bash")
            shell.arguments = ["\(scratch.path)/script"]
            shell.standardInput = FileHandle.nullDevice
            shell.standardOutput = try scratch.create("offered")
            try shell.run()
            try await eventually("bash to complete") { !shell.isRunning }
            let answers = try scratch.text("offered").split(separator: "\n", omittingEmptySubsequences: false)
            for (answer, expected) in zip(answers, offered) {
                #expect(answer == expected.answers, "\(expected.words)")
            }
            #expect(answers.count > offered.count)
        }

        @Test func `Colours are for terminals, unless NO_COLOR or --color says otherwise`() async throws {
            let scratch = try Scratch()
            defer { scratch.end() }
            // Nobody answers there: the table says so in red.
            let status = ["status", "--server", "127.0.0.1:\(try Ports.freeBase(nodes: 1))"]
            let red = "\u{1B}[31m"
            let colourful = ["NO_COLOR": "", "TERM": "xterm"]
            let piped: [(flags: [String], environment: [String: String], isRed: Bool)] = [
                ([], colourful, false), (["--color", "always"], colourful, true),
                (["--color", "always"], ["NO_COLOR": "1"], true), (["--color", "never"], colourful, false),
            ]
            for (flags, environment, isRed) in piped {
                let answer = try await Program.run(status + flags, environment: environment)
                #expect(answer.output.contains(red) == isRed, "\(flags) \(environment): \(answer.summary)")
            }
            let shown: [(flags: String, isRed: Bool, variable: String)] = [
                ("", true, "NO_COLOR="), ("", false, "NO_COLOR=1"), ("--color never", false, "NO_COLOR="),
                ("--color always", true, "NO_COLOR=1"),
            ]
            for (flags, isRed, variable) in shown {
                try await Self.show(
                    "\(variable) '\(Program.path)' \(status.joined(separator: " ")) \(flags)", in: scratch)
                let seen = try scratch.text("seen")
                #expect(seen.contains("silent") && seen.contains(red) == isRed, "\(variable) \(flags): \(seen)")
            }
        }

        @Test func `A table that is wider than its terminal becomes a block for each row`() async throws {
            let scratch = try Scratch()
            defer { scratch.end() }
            let server = "127.0.0.1:\(try Ports.freeBase(nodes: 1))"
            for (columns, isTable) in [(40, false), (200, true)] {
                try await Self.show(
                    "stty cols \(columns); '\(Program.path)' status --server \(server) --color never", in: scratch)
                let lines = try scratch.text("seen").split(whereSeparator: \.isNewline)
                #expect(lines.contains { $0.contains("ROLE") && $0.contains("CLIENT") } == isTable, "\(lines)")
                #expect(lines.contains { $0.hasPrefix("  ROLE") && $0.hasSuffix(" silent") } == !isTable, "\(lines)")
            }
        }

        /// Runs a line in a shell on a terminal of its own, and keeps what it shows as `seen`.
        private static func show(_ line: String, in scratch: Scratch) async throws {
            let terminal = Process()
            terminal.executableURL = URL(fileURLWithPath: "/usr/bin/script")
            terminal.arguments = ["-qc", line, "\(scratch.path)/seen"]
            terminal.standardInput = FileHandle.nullDevice
            terminal.standardOutput = FileHandle.nullDevice
            try terminal.run()
            try await eventually("\(line) to be shown") { !terminal.isRunning }
        }
    }
}
