import ArgumentParser
import Glibc
import HoldfastNode
import Logging

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Runs one node until SIGTERM or SIGINT.",
        discussion: """
            Flags win over HOLDFAST_* in the environment, that over the file, that over the defaults. See also: \
            holdfast config check, print, keys.
            """)

    @OptionGroup var options: NodeOptions

    func run() async throws {
        let configuration = try self.loaded()
        var logger = Logger(label: "holdfast") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = configuration.logLevel
        do {
            try await Node.run(configuration, logger: logger)
        } catch {
            throw Self.failure(error, configuration)
        }
    }

    private func loaded() throws(CommandFailure) -> NodeConfiguration {
        do throws(ConfigurationProblems) {
            return try NodeConfiguration.load(self.options.sources)
        } catch {
            throw CommandFailure(error, next: "see cluster/n1.yaml for a complete file; nothing was started")
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
