import ArgumentParser

/// The one executable.
@main
struct Holdfast: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "holdfast",
        abstract: "A replicated log: appended once, kept by a quorum, read from anywhere.",
        discussion: """
            Exit codes: 0 done, 1 refused and not applied, 3 degraded, 64 usage, 65 damaged data, 69 unreachable or \
            no leader, 71 the system refused (disk, rights), 75 outcome unknown, 77 denied, 78 bad configuration, also when an address \
            that it names is taken, or a later release has written in the data directory.

            Completions: source <(holdfast --generate-completion-script bash); also zsh and fish.

            Example: holdfast cluster up; echo hi | holdfast append; holdfast tail
            """,
        version: "0.1.0",
        groupedSubcommands: [
            CommandGroup(
                name: "A node",
                subcommands: [
                    ServeCommand.self, ConfigCommand.self, GenerateCommand.self, CertsCommand.self, TokenCommand.self,
                ]),
            CommandGroup(
                name: "The log",
                subcommands: [
                    AppendCommand.self, ReadCommand.self, TailCommand.self, CursorCommand.self, StatusCommand.self,
                    ExplainCommand.self,
                ]),
            CommandGroup(
                name: "A cluster", subcommands: [MemberCommand.self, TransferLeaderCommand.self, TrimCommand.self]),
            CommandGroup(name: "Backups", subcommands: [BackupCommand.self]),
            CommandGroup(
                name: "A data directory",
                subcommands: [
                    VerifyCommand.self, InspectCommand.self, RepairCommand.self, RecoverQuorumCommand.self,
                ]),
            CommandGroup(
                name: "Trying it out",
                subcommands: [
                    ClusterCommand.self, BenchCommand.self, FailoverTestCommand.self, SoakTestCommand.self,
                    SimCommand.self,
                ]),
        ])

    static func main() async {
        UnknownCommand.refuse(CommandLine.arguments.dropFirst())
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
            Self.exit(withError: error)
        }
    }
}
