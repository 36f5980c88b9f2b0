import Testing

/// The page on operations: its commands, run, and what they print beside what it says.
enum OperationsPage {
    static let path = "Sources/HoldfastNode/HoldfastNode.docc/Operations.md"

    /// Runs what a section says, and compares the words of both outputs.
    ///
    /// - Parameters:
    ///   - exits: Of the section's commands that are run, in order.
    ///   - places: Which of its commands those are; all by default.
    ///   - adapt: To this cluster, of a command and of its output.
    static func expect(
        _ heading: String, _ places: Range<Int>? = nil, exits: [Int32], in cluster: TestCluster,
        _ adapt: (String) -> String = { $0 }
    ) async throws {
        let all = try Document(Self.path).commands(under: heading)
        let commands = places.map { all[$0] } ?? all[...]
        try #require(commands.count == exits.count, "\(heading): \(all.map(\.line))")
        for (command, status) in zip(commands, exits) {
            let answer = try await cluster.shell(adapt(command.line))
            #expect(answer.status == status, "\(command.line): \(answer.summary)")
            // What root does to this machine is not done here.
            let output = command.output.split(separator: "\n").filter { !$0.hasPrefix("# ") }
            let said = Self.words(adapt(output.joined(separator: "\n")))
            // Some commands have more to say to people than to programs: the page may show both.
            let shown = [answer.output, answer.output + answer.errors].map { Self.words(cluster.withoutPlace($0)) }
            #expect(!said.isEmpty && shown.contains(said), "\(command.line): \(answer.summary)")
        }
    }

    /// Hands over until the node leads that does so on the page.
    static func untilLeading(_ node: TestCluster.Node, in cluster: TestCluster) async throws {
        try await eventually("\(node.name) to lead", state: { await cluster.described() }) {
            let leader = try await cluster.leader().node
            if leader == node { return true }
            _ = try await cluster.ask("transfer-leader", "--to", "\(node.number)")
            return false
        }
    }

    /// What does not differ from run to run: no numbers, no names of nodes, no machine.
    static func words(_ text: String) -> Set<String> {
        let words = text.split(separator: "\n").filter { !$0.contains(" x ") }.flatMap { line in
            line.split { !$0.isLetter && $0 != "_" }.map(String.init)
        }
        return Set(words).subtracting(["n", "s", "ms", "MiB", "KiB", "B"])
    }
}

extension TestCluster {
    /// Without the directory in which ``shell(_:endedAfter:)`` runs, and that of the binary.
    fileprivate func withoutPlace(_ text: String) -> String {
        text.replacing("\(self.scratch.path)/shell/", with: "").replacing(Program.path, with: "holdfast")
    }
}
