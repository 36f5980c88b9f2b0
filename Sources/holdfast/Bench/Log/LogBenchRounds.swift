import HoldfastClient

/// Runs all cells once, then all again, in an order that is drawn for each time: what the machine is in the mood for meets
/// all of them alike, and none always follows the same other one.
struct LogBenchRounds {
    var cells: [any LogBenchCell]
    let runs: Int
    let scratch: BenchScratch
    let console: Console

    /// - Returns: For each cell what its runs measured.
    mutating func run() async throws -> [[LogBenchRun]] {
        var results = [[LogBenchRun]](repeating: [], count: self.cells.count)
        defer { self.console.endProgress() }
        for index in self.cells.indices {
            self.console.progress("preparing \(self.cells[index].title) ...")
            let directory = try self.scratch.makeDirectory("prepared-\(index)")
            try await self.cells[index].prepare(in: directory)
        }
        for round in 1...self.runs {
            for (index, cell) in self.cells.enumerated().shuffled() {
                self.console.progress("run \(round) of \(self.runs): \(cell.title) ...")
                let run = try await self.scratch.withDirectory { try await cell.run(in: $0) }
                results[index].append(run)
            }
        }
        return results
    }
}
