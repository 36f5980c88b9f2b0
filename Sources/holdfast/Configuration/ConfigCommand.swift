import ArgumentParser
import HoldfastClient
import HoldfastNode

struct ConfigCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "Checks and shows how a node is configured; starts nothing.",
        discussion: """
            Takes the flags of holdfast serve, and reads HOLDFAST_* and the file as it does. Flags win over the \
            environment, that over the file, that over the defaults.

            Example: holdfast config check --config cluster/n1.yaml
            """,
        subcommands: [ConfigCheckCommand.self, ConfigPrintCommand.self, ConfigKeysCommand.self])
}

struct ConfigCheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Says all that is wrong with a configuration, each with its source.",
        discussion: """
            Certificates, keys and tokens are opened as the node would. Exit code 0 when a node would start with it, also \
            with warnings of what is legal but unwise; 78 when not. \
            JSON: {"sound":true,"problems":[],"warnings":[]}, each a text.

            Example: holdfast config check --config cluster/n1.yaml
            """)

    @OptionGroup var options: NodeOptions
    @OptionGroup var output: OutputOptions

    private struct Document: Encodable {
        var sound: Bool
        var problems: [String]
        var warnings: [String]
    }

    func run() throws {
        let report = ConfigurationReport(self.options.sources).lookingIntoFiles()
        let console = self.output.console
        if self.output.output == .json {
            let document = Document(
                sound: report.problems.isEmpty, problems: report.problems.map(\.description),
                warnings: report.warnings.map(\.description))
            console.out(bytes: JSONDocument.encode(document))
        }
        guard report.problems.isEmpty else {
            throw CommandFailure(
                ConfigurationProblems(all: report.problems), next: Self.next(report))
        }
        guard self.output.output == .table else { return }
        for warning in report.warnings { console.out(console.coloured("unwise: \(warning)", .yellow)) }
        console.out("sound" + (report.warnings.isEmpty ? "" : ", with \(report.warnings.count.counted("warning"))"))
    }

    /// A key that is right is nothing to read about: then it is the file.
    private static func next(_ report: ConfigurationReport) -> String {
        switch report.problems.first {
        case .unreadableFile(let path, _): return "see that \(path) is there, a text that you may read"
        case .malformedFile(let path, let line, _): return "look at line \(line) of \(path), and what stands before it"
        case .unusableFile(let key, _, _):
            guard let path = report.values.first(where: { $0.key == key })?.text else { break }
            let isCertificate = key == .tlsCertificate || key == .tlsAuthority
            return isCertificate
                ? "look into the file: \(Invocation.command("certs", "show", path))"
                : "look at the file \(path): whose it is, and what is in it"
        default: break
        }
        return "what each key takes: \(Invocation.command("config", "keys"))"
    }
}

struct ConfigPrintCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "print", abstract: "Shows each key's value, and who said it.",
        discussion: """
            SOURCE is a flag, a variable, a line of the file, or the default. With mistakes in the configuration all \
            other values are shown, then the mistakes; exit code 78. JSON: {"values":[{"key":"node.id","value":"1", \
            "source":"file","name":"n1.yaml:4"}]}; source is flag, environment, file or default.

            Example: holdfast config print --config cluster/n1.yaml --fsync batch
            """)

    @OptionGroup var options: NodeOptions
    @OptionGroup var output: OutputOptions

    private struct Document: Encodable {
        struct Value: Encodable {
            var key: String
            var value: String
            var source: String
            var name: String?
        }
        var values: [Value]
    }

    func run() throws {
        let report = ConfigurationReport(self.options.sources)
        let console = self.output.console
        switch self.output.output {
        case .table:
            let rows = report.values.map { [$0.key.rawValue, $0.origin.description, $0.text] }
            // Values last: peers are long, and nothing is filled up behind them.
            console.out(Console.table(["KEY", "SOURCE", "VALUE"], rows))
        case .json:
            let values = report.values.map {
                Document.Value(
                    key: $0.key.rawValue, value: $0.text, source: $0.origin.word,
                    name: $0.origin == .fallback ? nil : $0.origin.description)
            }
            console.out(bytes: JSONDocument.encode(Document(values: values)))
        }
        guard report.problems.isEmpty else { throw CommandFailure(ConfigurationProblems(all: report.problems)) }
    }
}

struct ConfigKeysCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys", abstract: "Lists every key: its names, what it takes, its default, what it means.",
        discussion: """
            JSON: {"keys":[{"key","environment","flag","type","bounds","default","required","live","meaning"}]}; a live \
            key is taken over from the file by a running node (SIGHUP).

            Example: holdfast config keys -o json
            """)

    @OptionGroup var output: OutputOptions

    func run() throws {
        let console = self.output.console
        switch self.output.output {
        case .table:
            for key in ConfigurationKey.allCases {
                let document = KeyDocument(key)
                console.out(console.coloured(document.key, .bold) + "  \(document.flag)  \(document.environment)")
                console.out("    \(document.type), \(document.bounds); \(document.defaultWords)")
                console.out("    \(document.meaning)" + (document.live ? " May change while the node runs." : ""))
            }
        case .json:
            console.out(bytes: JSONDocument.encode(["keys": ConfigurationKey.allCases.map(KeyDocument.init)]))
        }
    }
}
