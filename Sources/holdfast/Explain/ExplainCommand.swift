import ArgumentParser
import HoldfastClient

struct ExplainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain", abstract: "Says why a cluster is as it is: asks every node, and draws conclusions.",
        discussion: """
            Lines that begin with ! are not as they should be. Exit code 0 when all is well, 3 when not, 69 when nobody \
            answers, 77 when those that do want a token or TLS that was not shown. JSON: {"question":"lag 3","well":false,"findings":[{"code":"node_hangs","node":3,"trouble":true, \
            "text":"...","next":"..."}]}; node and next may be missing.

            Example: holdfast explain lag n3
            """,
        subcommands: [
            ExplainAllCommand.self, ExplainNoLeaderCommand.self, ExplainLagCommand.self, ExplainIndexCommand.self,
            ExplainTrimCommand.self,
        ],
        defaultSubcommand: ExplainAllCommand.self)
}

struct ExplainAllCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "all", abstract: "Everything that is not as it should be, or that all is well.",
        discussion: "Example: holdfast explain all -o json")

    @OptionGroup var options: ExplainOptions

    func run() async throws {
        try await self.options.answer("all") { _, sight in Diagnosis.all(sight) }
    }
}

struct ExplainNoLeaderCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "no-leader", abstract: "Why nobody leads: who is missing, who may not vote, who voted for whom.",
        discussion: "Example: holdfast explain no-leader")

    @OptionGroup var options: ExplainOptions

    func run() async throws {
        try await self.options.answer("no-leader") { _, sight in Diagnosis.noLeader(sight) }
    }
}

struct ExplainLagCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lag", abstract: "Why a node is behind, and how fast it catches up.",
        discussion: "Example: holdfast explain lag n3")

    @Argument(help: "The node: 3 or n3.", transform: NodeArgument.parse)
    var node: UInt32

    @OptionGroup var options: ExplainOptions

    func run() async throws {
        try await self.options.answer("lag \(self.node)") { client, sight in
            guard sight.node(self.node) != nil || sight.nodes.allSatisfy({ $0.number == nil }) else {
                let names = sight.nodes.compactMap(\.number).map { "n\($0)" }.joined(separator: ", ")
                throw CommandFailure(.usage, "there is no node n\(self.node)", next: "say one of \(names)")
            }
            let findings = Diagnosis.lag(of: self.node, sight, before: sight, seconds: 0)
            guard findings.contains(where: { $0.code == .behind }) else { return findings }
            // Twice, so that the pace is seen.
            let began = ContinuousClock.now
            try await Task.sleep(for: .seconds(1))
            let later = await client.look()
            return Diagnosis.lag(
                of: self.node, later, before: sight, seconds: began.duration(to: .now).seconds)
        }
    }
}

struct ExplainIndexCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "index", abstract: "Whether a record is committed; if not, who has it and who is missing.",
        discussion: "Example: holdfast explain index 4711")

    @Argument(help: "The record's index.")
    var index: UInt64

    @OptionGroup var options: ExplainOptions

    func validate() throws {
        if self.index == 0 { throw ValidationError("Records are counted from 1.") }
    }

    func run() async throws {
        try await self.options.answer("index \(self.index)") { _, sight in Diagnosis.index(self.index, sight) }
    }
}

struct ExplainTrimCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trim", abstract: "How far the log can be trimmed, and what holds it.",
        discussion: "Example: holdfast explain trim")

    @OptionGroup var options: ExplainOptions

    func run() async throws {
        try await self.options.answer("trim") { client, sight in
            Diagnosis.trim(sight, cursors: sight.leader == nil ? nil : try? await client.cursors())
        }
    }
}
