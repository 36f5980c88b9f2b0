import DiskIO
import LogModel
import Simulation
import SystemPackage

@testable import SegmentLog

/// A caller of the engine that does not give up: it tries again what was refused, and opens a log again that has failed,
/// and checks after each refusal what the error promises.
struct FaultRun {
    let disk: SimulatedFileSystem
    private(set) var faults: [String] = []
    /// Errors that were seen.
    private(set) var errors: [LogError] = []
    private var log: EngineHarness?
    /// What appends returned for.
    private var values: [String] = []
    private var ends: [Position] = []
    private var durableCount = 0
    private var firstIndex = 1

    init(_ disk: SimulatedFileSystem) { self.disk = disk }

    /// Refusals that a call can give, as the kernel's manual has them.
    static func refusals(of operation: DiskOperation) -> [Errno] {
        switch operation {
        case .write: [.noSpace, .ioError, .diskQuotaExceeded, .interrupted]
        case .sync: [.ioError, .noSpace, .diskQuotaExceeded, .interrupted]
        case .syncMapping, .syncDirectory: [.ioError, .noSpace]
        case .allocate, .create, .makeDirectory: [.noSpace, .ioError]
        case .rename: [.noSpace, .ioError]
        case .open: [.tooManyOpenFiles, .ioError]
        case .map: [.noMemory]
        case .lock: [.noLocks]
        case .remove, .truncate, .status, .read, .list: [.ioError]
        }
    }

    mutating func run() {
        self.open()
        for number in 0..<9 {
            self.append(number)
            if number == 2 || number == 6 { self.sync() }
            if number == 4 { self.prepare() }
        }
        self.truncate(to: 6)
        self.append(20)
        self.read()
        self.sync()
        self.trim()
        self.append(21)
        self.close()
        self.open()
        self.read()
        self.append(22)
        self.sync()
        self.finish()
    }

    // MARK: Steps

    /// Opens the log, twice if the first attempt is refused, and takes over what it finds.
    private mutating func open() {
        for attempt in 1...2 {
            do throws(LogError) {
                let log = try EngineHarness(self.disk)
                self.log = log
                self.adopt(try log.values(), Int(log.store.firstIndex.rawValue))
                return
            } catch {
                self.note(error, "open")
                self.log = nil
                // Whoever tries again is another process, but the lock must be free in any case.
                if case .held = try? self.disk.lock(EngineHarness.path(LogFiles.lock)) {
                    self.faults.append("still locked")
                }
                self.disk.killProcess()
                if attempt == 2 { self.faults.append("a second opening fails: \(error)") }
            }
        }
    }

    private mutating func adopt(_ found: [String], _ firstIndex: Int) {
        let end = firstIndex - 1 + found.count
        if end < self.durableCount { self.faults.append("\(end) of \(self.durableCount) durable values are left") }
        if firstIndex < self.firstIndex { self.faults.append("a trim was undone") }
        if end > self.values.count || self.values[..<end].dropFirst(firstIndex - 1) != found[...] {
            self.faults.append("a refused append left a trace, or values changed")
        }
        self.firstIndex = firstIndex
        self.values.removeSubrange(min(end, self.values.count)...)
        self.ends.removeSubrange(min(end, self.ends.count)...)
        // Opening makes durable what it finds.
        self.durableCount = self.values.count
    }

    private mutating func append(_ number: Int) {
        let value = "f\(number)-" + String(repeating: "z", count: 700 + number * 31)
        self.attempt("append") { run, log throws(LogError) in
            let before = (log.tail, log.store.nextIndex, log.store.segments.count)
            let (bytes, position) = log.nextFrame([value])
            do throws(LogError) {
                try log.writer.append(bytes[...], at: position)
            } catch {
                if (log.tail, log.store.nextIndex, log.store.segments.count) != before {
                    return "a refused append moved the tail"
                }
                throw error
            }
            run.values.append(value)
            run.ends.append(log.tail)
            return nil
        }
    }

    private mutating func sync() {
        self.attempt("sync") { run, log throws(LogError) in
            do throws(LogError) {
                try log.writer.sync(now: MonotonicTime.zero.advanced(byMilliseconds: UInt64(run.values.count) * 2000))
            } catch {
                return try Self.expectFailed(log, error)
            }
            run.durableCount = run.values.count
            return nil
        }
    }

    /// - Returns: What is wrong with a log after a failed sync.
    private static func expectFailed(_ log: EngineHarness, _ error: LogError) throws(LogError) -> String? {
        if log.writer.condition != .failed { return "open after a failed sync" }
        throw error
    }

    private mutating func prepare() {
        self.attempt("prepare") { run, log throws(LogError) in
            try log.writer.prepareNextSegment()
            return nil
        }
    }

    private mutating func truncate(to count: Int) {
        guard self.ends.count >= count else { return }
        let end = self.ends[count - 1]
        self.durableCount = min(self.durableCount, count)
        self.attempt("truncate") { run, log throws(LogError) in
            try log.writer.truncate(from: end)
            run.values.removeSubrange(count...)
            run.ends.removeSubrange(count...)
            return nil
        }
    }

    private mutating func trim() {
        self.attempt("trim") { run, log throws(LogError) in
            let before = Int(log.store.firstIndex.rawValue)
            do throws(LogError) {
                try log.writer.trim(before: log.tail)
            } catch {
                run.firstIndex = max(before, Int(log.store.firstIndex.rawValue))
                throw error
            }
            run.firstIndex = Int(log.store.firstIndex.rawValue)
            return nil
        }
    }

    private mutating func read() {
        self.attempt("read") { run, log throws(LogError) in
            let found = try log.values()
            return found[...] == run.values.dropFirst(run.firstIndex - 1) ? nil : "read \(found.count) values"
        }
    }

    private mutating func close() {
        guard let log = self.log else { return }
        do throws(LogError) {
            try log.writer.close()
            self.durableCount = self.values.count
        } catch {
            self.note(error, "close")
            if (try? log.values()) == nil { self.faults.append("no reads after a failed close") }
        }
        self.log = nil
        self.checkSyncs()
    }

    /// The power goes: what was synced is there, and appends go on.
    private mutating func finish() {
        self.log = nil
        self.disk.cutPower(.losesAll)
        self.open()
        self.append(30)
        self.sync()
        self.log = nil
        self.disk.cutPower(.losesAll)
        self.open()
        if self.values.last?.hasPrefix("f30") != true { self.faults.append("the last value is gone") }
    }

    // MARK: Refusals

    /// Does something on the open log; refused, tries once more, if need be on the log opened again.
    private mutating func attempt(_ what: String, _ body: (inout FaultRun, EngineHarness) throws(LogError) -> String?) {
        for attempt in 1...2 {
            guard let log = self.log else { return }
            do throws(LogError) {
                if let fault = try body(&self, log) { self.faults.append("\(what): \(fault)") }
                return
            } catch {
                self.note(error, what)
                if attempt == 2 { self.faults.append("\(what) does not heal: \(error)") }
                if log.writer.condition == .failed {
                    self.checkFailed(log, what)
                    self.reopen()
                }
            }
        }
    }

    /// Nothing is written any more, reads go on.
    private mutating func checkFailed(_ log: EngineHarness, _ what: String) {
        let (bytes, position) = log.nextFrame(["no"])
        do throws(LogError) {
            try log.writer.append(bytes[...], at: position)
            self.faults.append("a failed log took an append")
        } catch {
            if error != .failed { self.faults.append("a failed log says \(error)") }
        }
        do throws(LogError) {
            try log.writer.sync()
            self.faults.append("a failed log synced")
        } catch {
            if error != .failed { self.faults.append("a failed log's sync says \(error)") }
        }
        let found = try? log.values()
        let expected = self.values.dropFirst(Int(log.store.firstIndex.rawValue) - 1)
        // A truncation that failed half way has moved the tail already.
        if found == nil || (what != "truncate" && found?[...] != expected) {
            self.faults.append("\(what): a failed log reads \(found?.count ?? -1) values")
        }
        self.checkSyncs()
    }

    /// The process stops, as it must; another takes over. The power stays on.
    private mutating func reopen() {
        self.log = nil
        self.disk.killProcess()
        self.open()
    }

    private mutating func checkSyncs() {
        if self.disk.counts.syncsAfterFailure > 0 { self.faults.append("a sync was retried") }
    }

    private mutating func note(_ error: LogError, _ what: String) {
        self.errors.append(error)
        switch error {
        case .noSpace, .storage, .failed: return
        case .damaged(let damage):
            // A header that the disk did not deliver, this time.
            if case .unreadable = damage.kind { return }
            self.faults.append("\(what) fails with \(error)")
        default: self.faults.append("\(what) fails with \(error)")
        }
    }
}
