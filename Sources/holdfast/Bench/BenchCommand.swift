import ArgumentParser

struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench", abstract: "Measures throughput, latency and gaps, of clusters and of a log alone.",
        subcommands: [
            BenchAppendCommand.self, BenchCatchUpCommand.self, BenchFailoverCommand.self, BenchLogCommand.self,
        ])
}
