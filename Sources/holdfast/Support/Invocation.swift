/// How this program was called: what a hint tells people to type works in their shell, on PATH or not.
enum Invocation {
    static var name: String { CommandLine.arguments.first ?? "holdfast" }

    /// An argument as a shell takes it.
    static func quoted(_ argument: String) -> String {
        let isPlain =
            !argument.isEmpty && argument.allSatisfy { $0.isLetter || $0.isNumber || "/._-+:,=@%".contains($0) }
        return isPlain ? argument : "'" + argument.replacing("'", with: "'\\''") + "'"
    }

    /// A command of this program, ready to be typed.
    static func command(_ arguments: String...) -> String { self.command(arguments) }

    static func command(_ arguments: [String]) -> String {
        ([self.name] + arguments.map(self.quoted)).joined(separator: " ")
    }

    /// A command about the same cluster as this one: with `--server`, and how it lets in, as they were given here; but no token.
    static func clientCommand(_ arguments: String...) -> String { self.clientCommand(arguments) }

    static func clientCommand(_ arguments: [String]) -> String {
        let given = ["--server", "--tls-ca", "--tls-cert", "--tls-key", "--token-file"].map(self.given).joined()
        return ([self.name] + arguments.map(self.quoted)).joined(separator: " ") + given
    }

    /// An option and its value as they were given to this run, with a space before; empty when they were not.
    private static func given(_ option: String) -> String {
        let arguments = CommandLine.arguments
        for (place, argument) in arguments.enumerated() {
            if argument == option, place + 1 < arguments.count {
                return " \(option) \(self.quoted(arguments[place + 1]))"
            }
            if argument.hasPrefix(option + "=") { return " \(self.quoted(argument))" }
        }
        return ""
    }
}
