import DiskIO

/// How many of the disks that a power cut could leave are looked at.
package struct CrashBound: Hashable, Sendable {
    /// With at most so many unsynced units, every subset of them is tried; with more: none, all, each alone, all but
    /// each, and what was made first, up to each.
    package var exhaustiveUnitsMax: Int
    /// The last write is cut off at every so many bytes, and at the borders of sectors in any case.
    package var tornByteStride: Int
    /// Bytes at each end of a large write that are looked at by this stride; in between, only borders of sectors.
    package var tornEndByteCount: Int

    package init(exhaustiveUnitsMax: Int, tornByteStride: Int, tornEndByteCount: Int) {
        self.exhaustiveUnitsMax = exhaustiveUnitsMax
        self.tornByteStride = tornByteStride
        self.tornEndByteCount = tornEndByteCount
    }

    package static let quick = CrashBound(exhaustiveUnitsMax: 3, tornByteStride: 23, tornEndByteCount: 64)
    package static let full = CrashBound(exhaustiveUnitsMax: 10, tornByteStride: 1, tornEndByteCount: 256)
}

/// One disk that a crash could leave, and how it came about.
package struct CrashCase: Sendable {
    package enum Cause: Hashable, Sendable {
        /// The machine lost power: unsynced units are there or not.
        case power
        /// The process died: all that it had written is there, at most the last write is half done.
        case process
    }

    package var cause: Cause
    /// Steps that were done, see ``DiskMoment/step``: what was promised after the last of them must be there.
    package var completedSteps: Int
    package var description: String
}

/// Replays every prefix of a recorded workload, and for each the disks that a crash at that moment could leave.
///
/// What the caller finds on a disk is asked for once for each distinct disk, and judged for each crash that leads to
/// it: the same disk can be right after one step and wrong after the next, when more was promised.
package struct CrashExplorer<Outcome> {
    private let bound: CrashBound
    private var outcomes: [Int: Outcome] = [:]
    /// Moments at which the machine or the process was stopped.
    package private(set) var momentCount = 0
    /// Crashes judged.
    package private(set) var caseCount = 0
    /// Distinct disks opened.
    package var diskCount: Int { self.outcomes.count }

    package init(_ bound: CrashBound) { self.bound = bound }

    /// - Parameters:
    ///   - open: Finds out what is on a disk; it may change the disk as it likes.
    ///   - judge: Says whether that is right after this crash.
    package mutating func explore(
        _ moments: [DiskMoment], open: (SimulatedFileSystem) -> Outcome, judge: (CrashCase, Outcome) -> Void
    ) {
        for moment in moments {
            self.momentCount += 1
            var platter = moment.disk
            let units = platter.loseUnsynced()
            self.forEachSurvival(of: units, at: moment.step) { cause, isTorn, kept, what in
                var disk = platter
                for unit in kept { disk.apply(unit) }
                self.caseCount += 1
                let fingerprint = disk.fingerprint
                let outcome = self.outcomes[fingerprint] ?? open(SimulatedFileSystem(disk))
                self.outcomes[fingerprint] = outcome
                let place = "\(isTorn ? "in" : "after") step \(moment.step) (\(moment.what))"
                judge(
                    CrashCase(
                        cause: cause, completedSteps: moment.step - (isTorn ? 1 : 0),
                        description: "\(cause) lost \(place), kept \(what)"
                    ), outcome)
            }
        }
    }

    private typealias Visit = (CrashCase.Cause, _ isTorn: Bool, _ kept: [DiskUnit], _ what: String) -> Void

    private func forEachSurvival(of units: [DiskUnit], at step: Int, _ visit: Visit) {
        visit(.process, false, units, "everything")
        self.forEachSubset(of: units.count) { kept in
            let survivors = units.indices.filter(kept.contains).map { units[$0] }
            visit(.power, false, survivors, "\(kept.sorted()) of \(units.count) units")
        }
        self.forEachTear(of: units, at: step, visit)
    }

    private func forEachSubset(of count: Int, _ visit: (Set<Int>) -> Void) {
        if count <= self.bound.exhaustiveUnitsMax {
            for mask in 0..<(1 << count) { visit(Set((0..<count).filter { mask >> $0 & 1 == 1 })) }
            return
        }
        let all = Set(0..<count)
        visit([])
        visit(all)
        for unit in 0..<count {
            visit([unit])
            visit(all.subtracting([unit]))
            visit(Set(0..<unit))
            visit(Set(unit..<count))
        }
    }

    /// Cuts off the write of the last step within a sector, with everything before it there, or nothing of it.
    private func forEachTear(of units: [DiskUnit], at step: Int, _ visit: Visit) {
        let before = units.filter { $0.step < step }
        let last = units.filter { $0.step == step }
        let byteCount = last.reduce(0) { $0 + $1.byteCount }
        guard byteCount > 1 else { return }
        for cut in self.cuts(of: byteCount, pieces: last.map(\.byteCount)) {
            var rest = cut
            let torn = last.compactMap { unit -> DiskUnit? in
                defer { rest -= min(rest, unit.byteCount) }
                return unit.torn(to: min(rest, unit.byteCount))
            }
            visit(.process, true, before + torn, "everything, and \(cut) of \(byteCount) bytes")
            visit(.power, true, before + torn, "everything, and \(cut) of \(byteCount) bytes")
            visit(.power, true, torn, "only \(cut) of the last \(byteCount) bytes")
        }
    }

    private func cuts(of byteCount: Int, pieces: [Int]) -> [Int] {
        var cuts: Set<Int> = []
        let end = self.bound.tornEndByteCount
        for cut in stride(from: 1, to: byteCount, by: self.bound.tornByteStride)
        where cut <= end || cut >= byteCount - end {
            cuts.insert(cut)
        }
        var border = 0
        for piece in pieces {
            border += piece
            for cut in border - 1...border + 1 where cut > 0 && cut < byteCount { cuts.insert(cut) }
        }
        return cuts.sorted()
    }
}
