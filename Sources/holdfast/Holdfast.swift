import ArgumentParser
import HoldfastNode

/// The one executable.
@main
struct Holdfast: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "holdfast",
        abstract: "A replicated log: appended once, kept by a quorum, read from anywhere.",
        discussion: """
            Exit codes: 0 done, 1 refused and not applied, 3 degraded, 64 usage, 65 damaged data, 69 unreachable or \
            no leader, 71 the system refused (disk, rights), 75 outcome unknown, 78 bad configuration, also when an address \
            that it names is taken.

            Completions: source <(holdfast --generate-completion-script bash); also zsh and fish.

            Example: holdfast cluster up; echo hi | holdfast append; holdfast tail
            """,
        version: "0.1.0",
        groupedSubcommands: [
            CommandGroup(name: "A node", subcommands: [ServeCommand.self, ConfigCommand.self]),
            CommandGroup(
                name: "The log",
                subcommands: [
                    AppendCommand.self, ReadCommand.self, TailCommand.self, CursorCommand.self, StatusCommand.self,
                    ExplainCommand.self,
                ]),
            CommandGroup(
                name: "A cluster", subcommands: [MemberCommand.self, TransferLeaderCommand.self, TrimCommand.self]),
            CommandGroup(
                name: "A data directory",
                subcommands: [
                    VerifyCommand.self, InspectCommand.self, RepairCommand.self, RecoverQuorumCommand.self,
                ]),
            CommandGroup(
                name: "Trying it out",
                subcommands: [ClusterCommand.self, BenchCommand.self, FailoverTestCommand.self, SimCommand.self]),
        ])

    static func main() async {
        Self.refuseUnknownCommands(CommandLine.arguments.dropFirst())
        do {
            var command = try Self.parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch let failure as CommandFailure {
            failure.report()
            Self.exit(withError: ExitCode(failure.status.rawValue))
        } catch {
            if Self.exitCode(for: error) == .validationFailure,
                let meant = MeantCommand.words(for: CommandLine.arguments.dropFirst())
            {
                Console.writeError(meant + "\n")
            }
            Self.exit(withError: error)
        }
    }

    /// A word that is no command is told before what stands behind it, and `help` of it, too.
    private static func refuseUnknownCommands(_ arguments: ArraySlice<String>) {
        var command: any ParsableCommand.Type = Self.self
        var path: [String] = []
        for word in arguments.first == "help" ? arguments.dropFirst() : arguments {
            let subcommands = command.configuration.subcommands
            guard !subcommands.isEmpty, !word.hasPrefix("-") else { return }
            path.append(word)
            if let next = subcommands.first(where: { $0._commandName == word }) {
                command = next
                continue
            }
            guard word != "help" else { return }
            let meant = EditDistance.closest(to: word, among: subcommands.map { $0._commandName }) { $0 }
            do {
                _ = try Self.parseAsRoot(path)
            } catch {
                let suggestion = meant.map { ". Did you mean '\($0)'?" } ?? ""
                let text = Self.fullMessage(for: error)
                    .replacing("'\(word)'", with: "'\(word)'\(suggestion)", maxReplacements: 1)
                Console.writeError(text + "\n")
                Self.exit(withError: ExitCode(Self.exitCode(for: error).rawValue))
            }
        }
    }
}
