import DiskIO
import LogModel
import SegmentLog

extension StressRun {
    /// Opens what the run left and reads all of it.
    static func reopen(
        _ configuration: LogConfiguration, _ fileSystem: any FileSystem
    ) async throws -> (all: StressSight, report: RecoveryReport) {
        let (log, report) = try await SegmentLog.open(configuration, fileSystem: fileSystem)
        let all = try await StressSight.read(log, from: .first)
        guard (all.nextIndex ?? log.firstIndex) == log.nextIndex, (all.first ?? log.firstIndex) == log.firstIndex else {
            throw Wrong("the log says \(log.firstIndex) ..< \(log.nextIndex) and reads otherwise")
        }
        try await log.close()
        return (all, report)
    }

    /// Holds everything that callers were told against what was found afterwards.
    ///
    /// - Parameter refusedMayStay: Whether an append that threw may be there all the same, as after a crash.
    func check(_ all: StressSight, refusedMayStay: Bool = false) throws {
        try all.checkOrder()
        let told = self.ledger.told
        let cuts = self.ledger.cuts
        for append in told {
            for (offset, value) in append.values.enumerated() {
                let index = append.appended.first.advanced(by: UInt64(offset))
                if all[index] == value || all.first.map({ index < $0 }) == true { continue }
                // Only a truncation that was not over when the append began may have taken it.
                guard cuts.contains(where: { $0.position < append.appended.end && $0.returned > append.began })
                else { throw Wrong("\(value) was told to be at \(index), where \(String(describing: all[index])) is") }
            }
        }
        let refused = Set(self.ledger.refused)
        let attempted = refused.union(told.flatMap(\.values))
        for value in all.values {
            guard attempted.contains(value) else { throw Wrong("\(value) is there and was never appended") }
            guard refusedMayStay || !refused.contains(value) else { throw Wrong("\(value) is there and was refused") }
        }
    }

    /// Holds what readers saw against what callers were told, without truncations: all of it, trimmed or not.
    func check(sights: [StressSight]) throws {
        var known: [LogIndex: StressValue] = [:]
        for append in self.ledger.told {
            for (offset, value) in append.values.enumerated() {
                known[append.appended.first.advanced(by: UInt64(offset))] = value
            }
        }
        for sight in sights {
            guard let first = sight.first else { continue }
            for (offset, value) in sight.values.enumerated() {
                let index = first.advanced(by: UInt64(offset))
                guard known[index] == value else {
                    throw Wrong("a reader saw \(value) at \(index) instead of \(String(describing: known[index]))")
                }
            }
        }
    }
}
