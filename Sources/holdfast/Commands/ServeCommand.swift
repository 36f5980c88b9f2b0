import ArgumentParser
import Glibc
import HoldfastNode
import Logging

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Runs one node until SIGTERM or SIGINT.",
        discussion: "Flags win over HOLDFAST_* in the environment, that over the file, that over the defaults.")

    @Option(help: "A YAML file; see cluster/n1.yaml. Also HOLDFAST_CONFIG.")
    var config: String?

    @Option(help: "node.id: this node's number.")
    var nodeId: String?

    @Option(help: "data.directory: where the log is kept.")
    var dataDir: String?

    @Option(help: "listen.client: host:port for clients.")
    var listen: String?

    @Option(help: "listen.peer: host:port for the other nodes.")
    var peerListen: String?

    @Option(name: .customLong("peer"), help: "peers: id=peerHost:port/clientHost:port; once per node, this one too.")
    var peers: [String] = []

    @Flag(help: "join: a blank node waits to be added (holdfast member add), and never forms a cluster.")
    var join = false

    @Option(help: "fsync.policy: always, batch or os.")
    var fsync: String?

    @Option(help: "fsync.window: how long batch waits, for example 2ms.")
    var fsyncWindow: String?

    @Option(help: "segment.size: for example 128MiB.")
    var segmentSize: String?

    @Option(help: "scrub.rate: so much of the log is reread in a second to find rot; 0 for never.")
    var scrubRate: String?

    @Option(help: "replication.compression of what followers get: auto, always or never.")
    var compression: String?

    @Option(help: "election.heartbeat: for example 50ms.")
    var heartbeat: String?

    @Option(help: "election.timeout.min")
    var electionTimeoutMin: String?

    @Option(help: "election.timeout.max")
    var electionTimeoutMax: String?

    @Option(help: "log.level: trace, debug, info, notice, warning, error or critical.")
    var logLevel: String?

    @Flag(help: "listen.insecure: allow listeners that other machines can reach.")
    var insecure = false

    func run() async throws {
        let configuration = try await self.loaded()
        var logger = Logger(label: "holdfast") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = configuration.logLevel
        do {
            try await Node.run(configuration, logger: logger)
        } catch {
            throw Self.failure(error, configuration)
        }
    }

    private func loaded() async throws(CommandFailure) -> NodeConfiguration {
        let environment = Environment.all
        do throws(ConfigurationError) {
            return try await NodeConfiguration.load(
                file: self.config ?? environment["HOLDFAST_CONFIG"], environment: environment, flags: self.flags)
        } catch {
            throw CommandFailure(
                .badConfiguration, error.description,
                next: "see cluster/n1.yaml for a complete file; nothing was started")
        }
    }

    private var flags: [ConfigurationKey: [String]] {
        var flags: [ConfigurationKey: [String]] = [:]
        let single: [(ConfigurationKey, String?)] = [
            (.nodeID, self.nodeId), (.dataDirectory, self.dataDir), (.clientListen, self.listen),
            (.peerListen, self.peerListen), (.fsyncPolicy, self.fsync), (.fsyncWindow, self.fsyncWindow),
            (.segmentSize, self.segmentSize), (.scrubRate, self.scrubRate), (.compression, self.compression),
            (.heartbeat, self.heartbeat),
            (.electionTimeoutMin, self.electionTimeoutMin), (.electionTimeoutMax, self.electionTimeoutMax),
            (.logLevel, self.logLevel), (.isInsecure, self.insecure ? "true" : nil),
            (.isJoining, self.join ? "true" : nil),
        ]
        for (key, value) in single { flags[key] = value.map { [$0] } }
        if !self.peers.isEmpty { flags[.peers] = self.peers }
        return flags
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
