import ArgumentParser

struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measures throughput, latency and gaps, of clusters, of a log alone and of a disk.",
        discussion: "Example: holdfast bench append --clients 1,64",
        subcommands: [
            BenchAppendCommand.self, BenchReadCommand.self, BenchCatchUpCommand.self, BenchFailoverCommand.self,
            BenchDiskCommand.self, BenchLogCommand.self,
        ])
}
