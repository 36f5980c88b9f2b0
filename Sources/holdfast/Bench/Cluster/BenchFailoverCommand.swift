import ArgumentParser

struct BenchFailoverCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "failover", abstract: "Kills the leader again and again, and measures the gaps.",
        discussion: """
            A gap is the time between the last acknowledgement of a leader that is ended with SIGKILL and the first of \
            its successor, under load. The dead one is started again and level before the next one dies. The whole log \
            of every node is checked at the end: exit code 1 when anything is lost or doubled.

            Example: holdfast bench failover --kills 20
            """)

    @Option(help: "How often the leader is killed.")
    var kills = 20

    @Flag(help: "The leader hands over, as often as --kills says, and nobody is killed.")
    var handover = false

    @Option(help: "Producers that append at the same time.")
    var clients = 4

    @OptionGroup var options: ClusterBenchOptions

    func validate() throws {
        guard (1...10_000).contains(self.kills) else { throw ValidationError("--kills must be from 1 to 10000.") }
        guard (1...64).contains(self.clients) else { throw ValidationError("--clients must be from 1 to 64.") }
        guard self.options.nodes >= 3 else {
            throw ValidationError("--nodes must be at least 3: fewer do not go on without their leader.")
        }
    }

    func run() async throws {
        self.options.noteBuild()
        let table = try await self.options.withCluster { cluster in
            let test = FailoverTest(
                cluster: cluster, kills: self.kills, isHandover: self.handover, producers: self.clients,
                console: self.options.output.console)
            let (report, usages) = try await UsageWatch.during(cluster) { try await test.run() }
            guard report.isGood else {
                throw CommandFailure(
                    .refused, "the history is not what was acknowledged: \(report.text(Console()))",
                    next: "keep this output: it is a bug")
            }
            var run = ClusterBenchRun()
            run.gaps = report.gaps
            run.failures = report.retried
            run.usages = usages
            let cell = ClusterBenchCell(
                work: self.handover ? "handover" : "failover", clients: self.clients, connections: 1, inFlight: 1,
                policy: self.options.fsync)
            return ClusterBenchTable(
                LogBenchCircumstances(directory: cluster.directory, runs: 1, settings: LogBenchSettings()),
                [(cell, [run])])
        }
        self.options.print(table)
    }
}
