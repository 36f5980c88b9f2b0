import ArgumentParser
import HoldfastNode

/// A word that is no command is told before what stands behind it, with what was meant: the parser itself would speak of the
/// options behind it first, and suggests options only.
enum UnknownCommand {
    /// Ends the process when there is such a word, also behind `help`.
    static func refuse(_ arguments: ArraySlice<String>) {
        var command: any ParsableCommand.Type = Holdfast.self
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
            return Self.refuse(word, at: path, among: subcommands.map { $0._commandName })
        }
    }

    private static func refuse(_ word: String, at path: [String], among names: [String]) {
        do {
            _ = try Holdfast.parseAsRoot(path)
        } catch {
            let meant = EditDistance.closest(to: word, among: names) { $0 }
            let suggestion = meant.map { ". Did you mean '\($0)'?" } ?? ""
            let text = Holdfast.fullMessage(for: error)
                .replacing("'\(word)'", with: "'\(word)'\(suggestion)", maxReplacements: 1)
            Console.writeError(text + "\n")
            Holdfast.exit(withError: ExitCode(Holdfast.exitCode(for: error).rawValue))
        }
    }
}
