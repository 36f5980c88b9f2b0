import LogModel
import Simulation

@testable import SegmentLog

/// What a log must hold, and what it may hold, at one moment of a workload.
struct CrashPromise {
    /// All values in the order of their indexes, from 1, whether or not their append has returned.
    var values: [String] = []
    /// How many values a log may end with: batches are there as a whole or not at all.
    var ends: Set<Int> = [0]
    /// How many survive a power cut for sure, and how many the death of the process.
    var durableCount = 0
    var writtenCount = 0
    /// The index of the first value, which a trim that goes on may or may not have raised.
    var firstIndexes: ClosedRange<Int> = 1...1
    var starts: UInt64 = 0
    /// Terms in which the node may have voted last.
    var votes: ClosedRange<UInt64> = 0...0

    /// - Returns: What is wrong; `nil` when the promise is kept.
    func fault(in found: CrashFinding, after cause: CrashCase.Cause) -> String? {
        if let problem = found.problem { return problem }
        let end = found.firstIndex - 1 + found.values.count
        let needed = cause == .power ? self.durableCount : self.writtenCount
        if end < needed { return "\(end) values are left of \(needed)" }
        guard end <= self.values.count, self.values[..<end].dropFirst(found.firstIndex - 1) == found.values[...] else {
            return "values were invented: \(found.values.suffix(2).map { $0.prefix(8) }) ending at \(end)"
        }
        if !self.ends.contains(end) { return "a part of a batch is left: \(end)" }
        if !self.firstIndexes.contains(found.firstIndex) { return "the log begins at \(found.firstIndex)" }
        if found.starts <= self.starts { return "starts went back from \(self.starts) to \(found.starts)" }
        if let vote = found.voteTerm, !self.votes.contains(vote) { return "vote of term \(vote), not \(self.votes)" }
        return nil
    }
}

/// The promises of one run of a workload, each with the step after which it held.
struct CrashPromises {
    private let disk: SimulatedFileSystem
    private var entries: [(step: Int, promise: CrashPromise)] = [(0, CrashPromise())]
    private(set) var current = CrashPromise()

    init(_ disk: SimulatedFileSystem) { self.disk = disk }

    mutating func note(_ change: (inout CrashPromise) -> Void) {
        change(&self.current)
        self.entries.append((self.disk.counts.steps, self.current))
    }

    mutating func attempts(_ values: [String]) {
        self.note {
            $0.values += values
            $0.ends.insert($0.values.count)
        }
    }

    mutating func returned() { self.note { $0.writtenCount = $0.values.count } }

    mutating func synced() {
        self.note {
            $0.writtenCount = $0.values.count
            $0.durableCount = $0.values.count
        }
    }

    /// Between the beginning of a truncation and its return, any part of the suffix may be gone.
    mutating func beginsTruncation(to count: Int) {
        self.note {
            $0.durableCount = min($0.durableCount, count)
            $0.writtenCount = min($0.writtenCount, count)
        }
    }

    mutating func truncated(to count: Int) {
        self.note { promise in
            promise.values.removeSubrange(count...)
            promise.ends = promise.ends.filter { $0 <= count }
        }
    }

    mutating func beginsTrim(to first: LogIndex) {
        self.note { $0.firstIndexes = $0.firstIndexes.lowerBound...Int(first.rawValue) }
    }

    mutating func trimmed(to first: LogIndex) {
        self.note { $0.firstIndexes = Int(first.rawValue)...Int(first.rawValue) }
    }

    /// After so many steps, whatever happened in the next one.
    func after(_ steps: Int) -> CrashPromise {
        // Ascending by step; the last one counts.
        var low = 0
        var high = self.entries.count
        while low < high {
            let middle = (low + high) / 2
            if self.entries[middle].step <= steps { low = middle + 1 } else { high = middle }
        }
        return self.entries[max(0, low - 1)].promise
    }
}

/// What a log turned out to hold after a crash.
struct CrashFinding {
    var values: [String] = []
    var firstIndex = 1
    var starts: UInt64 = 0
    var voteTerm: UInt64?
    /// Opening failed, a second opening found something else, or appends did not go on.
    var problem: String?

    /// Opens the log, appends to it, lets the power go and opens it again.
    ///
    /// - Parameter isThorough: Also opens it twice without appending.
    init(_ disk: SimulatedFileSystem, mode: LogMode = .cluster, isThorough: Bool) {
        do throws(LogError) {
            var log = try self.look(disk, mode: mode)
            if isThorough {
                disk.cutPower(.losesAll)
                log = try EngineHarness(disk, mode: mode)
                if try log.values() != self.values { self.problem = "a second opening found something else" }
            }
            try log.append("after")
            try log.writer.sync()
            disk.cutPower(.losesAll)
            let again = try EngineHarness(disk, mode: mode)
            if try again.values() != self.values + ["after"] { self.problem = "appends did not go on" }
        } catch {
            self.problem = "\(error)"
        }
    }

    private mutating func look(_ disk: SimulatedFileSystem, mode: LogMode) throws(LogError) -> EngineHarness {
        let log = try EngineHarness(disk, mode: mode)
        self.values = try log.values()
        self.firstIndex = Int(log.store.firstIndex.rawValue)
        self.starts = log.opened.identity.starts
        if case .known(let term, _) = log.opened.votes?.current { self.voteTerm = term.rawValue }
        if mode == .cluster, !log.opened.mayVote { self.problem = "barred from voting" }
        if log.opened.commit > log.tail { self.problem = "commit above the tail" }
        if log.store.nextIndex.rawValue != UInt64(self.firstIndex + self.values.count) {
            self.problem = "the next index is \(log.store.nextIndex)"
        }
        return log
    }
}
