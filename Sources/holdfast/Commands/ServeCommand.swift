import ArgumentParser
import Glibc
import HoldfastNode

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Runs one node until SIGTERM or SIGINT.",
        discussion: """
            Flags win over HOLDFAST_* in the environment, that over the file, that over the defaults. See also: \
            holdfast config check, print, keys. SIGHUP has the file read again: live keys change at once, others need a \
            restart, and the log says which is which.

            Example: holdfast serve --config cluster/n1.yaml --data-dir data/n1
            """)

    @OptionGroup var options: NodeOptions

    func run() async throws {
        let input = self.options.sources
        let report = ConfigurationReport(input)
        guard let configuration = report.configuration else {
            throw CommandFailure(
                ConfigurationProblems(all: report.problems),
                next: "see cluster/n1.yaml for a complete file; nothing was started")
        }
        try Self.checkPorts(of: configuration)
        do {
            try await Node.run(configuration, report, from: input)
        } catch {
            throw Self.failure(error, configuration)
        }
    }

    /// No directory is made for a node that cannot listen; of one that is there its lock says more.
    private static func checkPorts(of configuration: NodeConfiguration) throws(CommandFailure) {
        guard !Files.exists(configuration.dataDirectory) else { return }
        for (address, error) in NodeError.ofTakenPorts(configuration) where Ports.isTaken(address) {
            throw self.failure(error, configuration)
        }
    }

    private static func failure(_ error: any Error, _ configuration: NodeConfiguration) -> CommandFailure {
        guard let error = error as? NodeError else { return CommandFailure(.system, "\(error)") }
        let explanation = error.explanation(configuration)
        let status: ExitStatus =
            switch explanation.kind {
            case .damaged: .damaged
            case .configuration: .badConfiguration
            case .system: .system
            }
        return CommandFailure(
            status, explanation.what,
            next: explanation.next.replacing("holdfast verify", with: "\(Invocation.name) verify")
                .replacing("holdfast repair", with: "\(Invocation.name) repair"))
    }
}

extension CommandFailure {
    init(_ problems: ConfigurationProblems, next: String? = nil) {
        let lines = problems.all.map(\.description)
        self.init(
            .badConfiguration,
            lines.count == 1
                ? lines.joined()
                : "\(lines.count) mistakes in the configuration:" + lines.map { "\n  \($0)" }.joined(), next: next)
    }
}
