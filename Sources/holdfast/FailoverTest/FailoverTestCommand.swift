import ArgumentParser
import HoldfastClient
import LogModel

struct FailoverTestCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "failover-test",
        abstract: "Kills the leader again and again under load, and checks that nothing acknowledged is lost.",
        discussion: """
            Starts a cluster of its own. Several producers append unique values without pause, with retries. The \
            leader is ended with SIGKILL and started again, as often as asked. At the end the whole log of every node \
            is compared with what was acknowledged. A gap is the time without any acknowledgement around a kill. \
            Exit code 1 when something is lost, doubled or out of order.

            With --tls nodes and clients speak TLS, nodes mutually, with certificates of a development authority that is \
            made for this cluster: a new leader's handshakes are in the gaps.

            Example: holdfast failover-test --kills 20
            Example: holdfast failover-test --kills 20 --tls
            """)

    @Option(help: "How often the leader is killed.")
    var kills = 20

    @Flag(help: "The leader hands over, as often as --kills says, and nobody is killed.")
    var handover = false

    @Flag(help: "Makes certificates for the cluster: nodes and clients speak TLS, nodes mutually.")
    var tls = false

    @Option(help: "Producers that append at the same time.")
    var producers = 4

    @Option(help: "Nodes of the cluster.")
    var nodes = 3

    @Option(help: "segment.size: small, so that rotations happen meanwhile.")
    var segmentSize = "1MiB"

    @Option(help: "Where the cluster keeps its data; by default a temporary directory.", completion: .directory)
    var dataDir: String?

    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard (1...10_000).contains(self.kills) else { throw ValidationError("--kills must be from 1 to 10000.") }
        guard (1...64).contains(self.producers) else { throw ValidationError("--producers must be from 1 to 64.") }
        guard [3, 5, 7].contains(self.nodes) else { throw ValidationError("--nodes must be 3, 5 or 7.") }
    }

    func run() async throws {
        let settings = "segment:\n  size: \(self.segmentSize)\n"
        let report = try await ThrowawayCluster.with(
            nodes: self.nodes, settings: settings, isSecure: self.tls, directory: self.dataDir,
            console: self.output.console
        ) { cluster in
            try await FailoverTest(
                cluster: cluster, kills: self.kills, isHandover: self.handover, producers: self.producers,
                console: self.output.console
            ).run()
        }
        let console = self.output.console
        switch self.output.output {
        case .table: console.out(report.text(console))
        case .json: console.out(bytes: JSONDocument.encode(report))
        }
        guard report.isGood else {
            throw CommandFailure(
                .refused, "the history is not what was acknowledged", next: "keep this output: it is a bug")
        }
    }
}

/// What a failover test found.
struct FailoverReport: Encodable {
    /// `kill` or `handover`.
    var kind: String
    /// Whether nodes and clients spoke TLS.
    var tls: Bool
    var kills: Int
    /// Attempts that were refused or lost, and made again.
    var retried: Int
    var acknowledged: Int
    var lost: Int
    var duplicated: Int
    var reordered: Int
    /// In the log although nobody appended it.
    var foreign: Int
    /// Nodes whose log differs from the leader's at the end.
    var differing: Int
    /// Appends whose outcome the client could not learn; each may be in the log once.
    var unknown: Int
    var gaps: [Double]
    var median: Double
    var worst: Double

    var isGood: Bool {
        self.lost == 0 && self.duplicated == 0 && self.reordered == 0 && self.foreign == 0 && self.differing == 0
    }

    private enum CodingKeys: String, CodingKey {
        case kind, tls, kills, retried, acknowledged, lost, duplicated, reordered, foreign, differing, unknown
        case gaps = "gaps_ms"
        case median = "median_ms"
        case worst = "worst_ms"
    }

    func text(_ console: Console) -> String {
        var lines = self.gaps.enumerated().map {
            "\(self.kind) \($0.offset + 1): \($0.element.rounded(1)) ms without an acknowledgement"
        }
        if !self.gaps.isEmpty {
            lines.append(
                "median \(self.median.rounded(1)) ms, worst \(self.worst.rounded(1)) ms over \(self.kills.counted(self.kind))"
            )
        }
        let verdict = "\(self.acknowledged) acknowledged, \(self.lost) lost, \(self.duplicated) duplicated"
        lines.append(console.coloured(verdict, self.isGood ? .green : .red))
        if self.reordered > 0 { lines.append("\(self.reordered) out of their producer's order") }
        if self.foreign > 0 { lines.append("\(self.foreign) that nobody appended") }
        if self.differing > 0 { lines.append("\(self.differing) nodes hold another log than the leader") }
        if self.kind == "handover" { lines.append("\(self.retried) attempts were refused or lost, and made again") }
        if self.unknown > 0 { lines.append("\(self.unknown) with an unknown outcome, none of them twice") }
        return lines.joined(separator: "\n")
    }
}
