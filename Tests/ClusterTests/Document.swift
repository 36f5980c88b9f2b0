import Foundation

/// A page of the documentation, as far as it can be run.
struct Document {
    /// One line after a `$`, with its continuation lines, and what stands below it.
    struct Command {
        var line: String
        var output: String
    }

    /// The repository's directory.
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path

    private let lines: [Substring]

    /// - Parameter path: From the repository's directory on.
    init(_ path: String) throws {
        let text = try String(contentsOfFile: "\(Self.root)/\(path)", encoding: .utf8)
        self.lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    }

    /// The fenced blocks of a language below a heading, as far as the next heading of the same level.
    func blocks(_ language: String, under heading: String) -> [String] {
        guard let start = self.lines.firstIndex(where: { $0 == heading }) else { return [] }
        let level = heading.prefix { $0 == "#" } + " "
        var blocks: [String] = []
        var open: (language: Substring, lines: [Substring])?
        for line in self.lines[(start + 1)...] {
            if let block = open {
                if line == "```" {
                    if block.language == language { blocks.append(block.lines.joined(separator: "\n")) }
                    open = nil
                } else {
                    open?.lines.append(line)
                }
            } else if line.hasPrefix("```") {
                open = (line.dropFirst(3), [])
            } else if line.hasPrefix(level) {
                break
            }
        }
        return blocks
    }

    /// The rows of the tables below a heading, without the first two of each.
    func rows(under heading: String) -> [String] {
        guard let start = self.lines.firstIndex(where: { $0 == heading }) else { return [] }
        return self.lines[(start + 1)...].prefix { !$0.hasPrefix("#") }.filter { $0.hasPrefix("| `") }.map(String.init)
    }

    /// The first address in angle brackets below a heading: a page to be opened.
    func address(under heading: String) -> String? {
        guard let start = self.lines.firstIndex(where: { $0 == heading }) else { return nil }
        return self.lines[(start + 1)...].prefix { !$0.hasPrefix("#") }.lazy
            .compactMap { $0.firstMatch(of: #/<(http:[^>]+)>/#).map { String($0.1) } }.first
    }

    /// What the console blocks below a heading say, in order; without the comments behind the lines.
    func commands(under heading: String) -> [Command] {
        self.blocks("console", under: heading).flatMap { Self.commands(of: $0) }
    }

    private static func commands(of block: String) -> [Command] {
        var commands: [Command] = []
        for line in block.split(separator: "\n") {
            if line.hasPrefix("$ ") {
                commands.append(Command(line: self.uncommented(line.dropFirst(2)), output: ""))
            } else if let last = commands.last, last.line.hasSuffix("\\") {
                commands[commands.count - 1].line = last.line.dropLast() + self.uncommented(line)
            } else if !commands.isEmpty {
                commands[commands.count - 1].output += "\(line)\n"
            }
        }
        return commands
    }

    private static func uncommented(_ line: Substring) -> String {
        let end = line.range(of: "  #")?.lowerBound ?? line.endIndex
        return line[..<end].trimmingCharacters(in: .whitespaces)
    }
}

extension TestCluster {
    /// The documentation's addresses, as they are in this cluster.
    func placed(_ text: String) -> String {
        self.nodes.reduce(text) { text, node in
            text.replacingOccurrences(of: "127.0.0.1:74\(node.number - 1)0", with: "\(node.client)")
                .replacingOccurrences(of: "127.0.0.1:74\(node.number - 1)2", with: "\(node.admin)")
        }
    }

    /// Runs lines of the documentation in bash, where `data` is this cluster's directory: `$holdfast`, or `holdfast`, is the
    /// binary, and finds this cluster.
    ///
    /// - Parameter seconds: A single command that goes on for ever is killed then.
    func shell(_ lines: String, endedAfter seconds: Double? = nil) async throws -> Program.Answer {
        let place = "\(self.scratch.path)/shell"
        try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
        if !FileManager.default.fileExists(atPath: "\(place)/data") {
            try FileManager.default.createSymbolicLink(
                atPath: "\(place)/data", withDestinationPath: self.directory)
        }
        let start = seconds.map { "exec timeout -s KILL \($0) " } ?? "holdfast() { \"$holdfast\" \"$@\"; }\n"
        return try await Program.run(
            ["-c", start + self.placed(lines)], executable: "/usr/bin/bash",
            environment: [
                "holdfast": Program.path, "HOLDFAST_BINARY": Program.path,
                "HOLDFAST_SERVER": self.servers.map(\.description).joined(separator: ","),
            ], directory: place)
    }
}
