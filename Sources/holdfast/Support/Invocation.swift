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
    static func command(_ arguments: String...) -> String {
        ([self.name] + arguments.map(self.quoted)).joined(separator: " ")
    }
}
