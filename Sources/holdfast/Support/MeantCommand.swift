import ArgumentParser
import HoldfastNode

/// The subcommand that was meant by a mistyped one: the parser itself suggests options only.
enum MeantCommand {
    /// - Returns: `nil` when nothing is like it, or when the mistake is another one.
    static func words(for arguments: some Sequence<String>) -> String? {
        var command: any ParsableCommand.Type = Holdfast.self
        var path = [Holdfast.name]
        for argument in arguments {
            let subcommands = command.configuration.subcommands
            guard !argument.hasPrefix("-"), !subcommands.isEmpty else { return nil }
            if let known = subcommands.first(where: { $0.name == argument }) {
                command = known
                path.append(argument)
                continue
            }
            let meant = EditDistance.closest(to: argument, among: subcommands) { $0.name }
            return meant.map { "\(path.joined(separator: " ")) has no \(argument); did you mean \($0.name)?" }
        }
        return nil
    }
}

extension ParsableCommand {
    /// As it is typed.
    fileprivate static var name: String { self.configuration.commandName ?? self._commandName }
}
