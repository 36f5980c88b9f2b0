import ArgumentParser
import HoldfastClient

struct BenchCatchUpCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "catch-up", abstract: "Stops a follower, appends, starts it, and measures until it is level.",
        discussion: """
            Beside it, in the same run: cp and sync of the same files, and the leader's appends before and meanwhile. \
            Each run has a cluster of its own; rows are medians over the runs.

            Example: holdfast bench catch-up --size 256MiB
            """)

    @Option(help: "Bytes that are appended while the follower is away. (default: 1GiB)", transform: SizeArgument.parse)
    var size = SizeArgument(byteCount: 1 << 30)

    @Option(help: "Bytes of each record of those. (default: 64KiB)", transform: SizeArgument.parse)
    var recordSize = SizeArgument(byteCount: 64 << 10)

    @Option(help: "Callers whose small appends are measured before and meanwhile.")
    var clients = 4

    @Option(help: "How often all of it is measured.")
    var runs = 3

    @OptionGroup var options: ClusterBenchOptions

    func validate() throws {
        try self.options.validate(size: self.recordSize, runs: self.runs)
        guard self.size.byteCount >= 1 << 20 else { throw ValidationError("--size must be at least 1MiB.") }
        guard (1...64).contains(self.clients) else { throw ValidationError("--clients must be from 1 to 64.") }
        guard self.options.nodes >= 3 else {
            throw ValidationError("--nodes must be at least 3: fewer do not go on without a follower.")
        }
    }

    func run() async throws {
        self.options.noteBuild()
        var found: [CatchUpRun.Findings] = []
        var circumstances: LogBenchCircumstances?
        for round in 1...self.runs {
            self.options.output.console.progress("run \(round) of \(self.runs) ...")
            try await self.options.withCluster { cluster in
                circumstances = LogBenchCircumstances(
                    directory: cluster.directory, runs: self.runs, settings: LogBenchSettings(logSize: self.size))
                let run = CatchUpRun(
                    cluster: cluster, byteCount: Int(self.size.byteCount),
                    recordByteCount: Int(self.recordSize.byteCount), clients: self.clients)
                found.append(try await run.measure())
            }
        }
        self.options.output.console.endProgress()
        guard let circumstances else { return }
        self.options.print(ClusterBenchTable(circumstances, self.results(found)))
    }

    private func results(_ found: [CatchUpRun.Findings]) -> [(cell: ClusterBenchCell, runs: [ClusterBenchRun])] {
        let recordSize = Int(self.recordSize.byteCount)
        let policy = self.options.fsync
        let appends = { (work: String) in
            ClusterBenchCell(
                work: work, clients: self.clients, connections: self.clients, inFlight: 1,
                size: CatchUpRun.probeByteCount, policy: policy)
        }
        return [
            (ClusterBenchCell(work: "catch-up", size: recordSize, policy: policy), found.map(\.catchUp)),
            (ClusterBenchCell(work: "cp and sync", size: recordSize, policy: policy), found.map(\.copy)),
            (appends("append before"), found.map(\.before)),
            (appends("append meanwhile"), found.map(\.meanwhile)),
        ]
    }
}
