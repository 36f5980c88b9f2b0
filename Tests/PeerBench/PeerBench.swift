import ArgumentParser
import Foundation
import Glibc
import HoldfastClient
import NIOCore

/// The load of `scripts/bench`: the same for Holdfast, etcd and NATS, and servers that acknowledge at once.
///
/// Prints one JSON document on stdout. Exit code 1 when nothing could be measured.
@main
struct PeerBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "peer-bench",
        abstract:
            "Measures appends, tails and failovers of Holdfast, etcd and NATS with one driver; see scripts/bench.",
        subcommands: [AppendCommand.self, TailCommand.self, FailoverCommand.self, NullCommand.self])
}

extension PeerSystem: ExpressibleByArgument {}

extension ServerAddress: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }
}

/// How long a load runs. Milliseconds.
struct LoadTimes: ParsableArguments {
    @Option(help: "Milliseconds before anything counts.") var warmUp = 300
    @Option(help: "Milliseconds that count.") var duration = 2_000

    func validate() throws {
        guard (0...60_000).contains(self.warmUp), (1...600_000).contains(self.duration) else {
            throw ValidationError("--warm-up must be 0 to 60000, and --duration 1 to 600000.")
        }
    }
}

struct AppendCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "append", abstract: "Callers that append, wait for the acknowledgement, and append again.")

    @Option var system: PeerSystem
    @Option(help: "host:port of the leader.") var server: ServerAddress
    @Option(help: "Callers.") var clients = 1
    @Option(help: "Connections that they share.") var connections = 1
    @Option(help: "Appends of each caller under way at once.") var inFlight = 1
    @Option(help: "Records of each append.") var batch = 1
    @Flag(help: "Holdfast: a session for each caller.") var session = false
    @Option(help: "Bytes of each record.") var size = 100
    @OptionGroup var times: LoadTimes
    @Option(help: "Ends when so many records are acknowledged, if that is sooner.") var records: Int?

    static let clientsMax = 4_096

    func validate() throws {
        guard (1...Self.clientsMax).contains(self.clients), (1...self.clients).contains(self.connections) else {
            throw ValidationError("--clients must be 1 to \(Self.clientsMax), and --connections at most as many.")
        }
        guard (1...4_096).contains(self.inFlight) else { throw ValidationError("--in-flight must be 1 to 4096.") }
        guard (1...1 << 20).contains(self.size), (1...4_096).contains(self.batch) else {
            throw ValidationError("--size must be 1 to 1048576, and --batch 1 to 4096.")
        }
        guard self.records ?? 1 > 0 else { throw ValidationError("--records must be above 0.") }
        guard !self.session || (self.system == .holdfast && self.records == nil) else {
            throw ValidationError("--session goes with --system holdfast, and without --records.")
        }
        guard !self.session || self.clients <= SessionLoad.sessionsMax else {
            throw ValidationError("--clients must be at most \(SessionLoad.sessionsMax) with --session.")
        }
        guard self.batch == 1 || self.session || self.system.takesBatches else {
            throw ValidationError("--batch goes with etcd, and with --session.")
        }
    }

    func run() async throws {
        let load = ClosedLoad(
            system: self.system, server: self.server, clients: self.clients, connections: self.connections,
            inFlight: self.inFlight, batch: self.batch, size: self.size,
            warmUp: .milliseconds(Int64(self.times.warmUp)),
            duration: .milliseconds(Int64(self.times.duration)), recordsMax: self.records ?? .max,
            isSession: self.session)
        try printJSON(try await load.run())
    }
}

struct TailCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tail", abstract: "From appending at one node to a reader at another.")

    @Option var system: PeerSystem
    @Option(help: "host:port of the leader.") var server: ServerAddress
    @Option(help: "host:port of the node that is followed.") var reader: ServerAddress
    @Option(help: "Records per second.") var rate = 1_000
    @Option(help: "Bytes of each record.") var size = 100
    @OptionGroup var times: LoadTimes

    func validate() throws {
        guard (1...100_000).contains(self.rate) else { throw ValidationError("--rate must be 1 to 100000.") }
        guard (TailRun.stampByteCount + 1...1 << 20).contains(self.size) else {
            throw ValidationError("--size must be 17 to 1048576: records begin with a time.")
        }
    }

    func run() async throws {
        let run = TailRun(
            system: self.system, appendServer: self.server, readServer: self.reader, recordsPerSecond: self.rate,
            size: self.size, warmUp: .milliseconds(Int64(self.times.warmUp)),
            duration: .milliseconds(Int64(self.times.duration)))
        try printJSON(try await run.run())
    }
}

struct FailoverCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "failover", abstract: "Kills or stops the leader, and times the gap.")

    @Option var system: PeerSystem
    @Option(parsing: .upToNextOption, help: "host:port of each node, the leader's first.") var servers: [ServerAddress]
    @Option(help: "The leader's process.") var leader: Int32
    @Flag(help: "SIGSTOP instead of SIGKILL: the leader keeps its connections, and says nothing.") var silence = false
    @Option(help: "Milliseconds between two appends.") var interval = 2
    @Option(help: "Milliseconds to wait for an answer.") var timeout = 100

    func validate() throws {
        guard self.servers.count > 1 else { throw ValidationError("--servers must be two at least.") }
        guard self.leader > 1 else { throw ValidationError("--leader must be a process.") }
        guard (1...10_000).contains(self.interval), (1...10_000).contains(self.timeout) else {
            throw ValidationError("--interval and --timeout must be 1 to 10000.")
        }
    }

    func run() async throws {
        let run = FailoverRun(
            system: self.system, servers: self.servers, leader: self.leader,
            signal: self.silence ? SIGSTOP : SIGKILL, interval: .milliseconds(Int64(self.interval)),
            timeout: .milliseconds(Int64(self.timeout)))
        try printJSON(try await run.run())
    }
}

struct NullCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "null", abstract: "A server that acknowledges every append at once, until it is ended.")

    @Option var system: PeerSystem
    @Option(help: "host:port to listen at.") var server: ServerAddress

    func run() async throws {
        try await NullServer.listen(self.system, at: self.server)
        try printJSON(["ready": true])
        while true { try await Task.sleep(for: .seconds(3_600)) }
    }
}
