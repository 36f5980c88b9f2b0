import DiskIO
import Foundation
import LogModel
import SegmentFormat
import Simulation
import SystemPackage
import Testing

@testable import SegmentLog

@Suite("A repair") struct RepairTests {
    @Test func `ends a damaged log before the damage and keeps all that it drops`() throws {
        let log = try AuditLog.closed(records: 120, mode: .standalone)
        let place = try Self.damage(log.disk, "000001.wal", frame: 3)
        let before = try #require(log.disk.contents(of: EngineHarness.path("000001.wal")))
        let last = try #require(log.disk.contents(of: EngineHarness.path("000002.wal")))
        let plan = try Self.repair(log.disk).plan(Self.options)
        guard case .cut(let cut) = try #require(plan.actions.first) else {
            Issue.record("\(plan)")
            return
        }
        #expect(cut.segment == 1 && cut.offset == place && cut.lastIndex == 120)
        // All of it was synced, and so acknowledged.
        #expect(cut.wasCommitted && plan.needsAcceptance)
        #expect(throws: RepairError.needsAcceptance) { try Self.repair(log.disk).apply(acceptsLoss: false) }
        // Planning changes nothing.
        #expect(log.disk.contents(of: EngineHarness.path("000001.wal")) == before)
        let outcome = try Self.apply(log.disk)
        #expect(!outcome.isDamaged)
        #expect(
            log.disk.contents(of: EngineHarness.path("000001.wal.from-\(place).damaged")) == Array(before[place...]))
        #expect(log.disk.contents(of: EngineHarness.path("000002.wal.damaged")) == last)
        let again = try EngineHarness(log.disk, mode: .standalone)
        #expect(try again.values() == (0..<Int(cut.firstIndex) - 1).map { EngineHarness.value($0) })
        #expect(again.opened.report.cut == nil && again.opened.report.damage.isEmpty)
        try again.append("after")
    }

    @Test func `takes from a peer only what is not the same here`() throws {
        let log = try AuditLog.closed(records: 120)
        try RepairTests.copySegments(log.disk)
        // The one behind it does not follow any more, and is good.
        try log.disk.open(EngineHarness.path("000001.wal"), .write).truncate(to: 1000)
        var options = Self.options
        options.peer = "/peer"
        let plan = try Self.repair(log.disk).plan(options)
        let replaced = plan.actions.compactMap { action -> UInt32? in
            if case .replace(let segment, _, _, _, _) = action { segment } else { nil }
        }
        #expect(replaced == [1] && plan.unknown == [])
        #expect(try !Self.apply(log.disk).isDamaged)
    }

    @Test func `takes segments from a peer, the same byte for byte`() throws {
        let log = try AuditLog.closed(records: 120)
        let names = try log.disk.list(EngineHarness.directory)
        try RepairTests.copySegments(log.disk)
        let originals = names.map { log.disk.contents(of: EngineHarness.path($0)) }
        _ = try Self.damage(log.disk, "000001.wal", frame: 3)
        try log.disk.remove(EngineHarness.path("000002.wal"))
        log.disk.flip(bit: 80, of: EngineHarness.path(names.last { $0.hasSuffix(".wal") } ?? ""))
        let damaged = log.disk.contents(of: EngineHarness.path("000001.wal"))
        // Without a peer committed records would go; with it nothing does.
        #expect(try Self.repair(log.disk).plan(Self.options).needsAcceptance)
        var options = Self.options
        options.peer = "/peer"
        let plan = try Self.repair(log.disk).plan(options)
        #expect(plan.actions.count == 3 && !plan.needsAcceptance)
        #expect(try !Self.apply(log.disk).isDamaged)
        #expect(names.map { log.disk.contents(of: EngineHarness.path($0)) } == originals)
        #expect(log.disk.contents(of: EngineHarness.path("000001.wal.damaged")) == damaged)
        #expect(try EngineHarness(log.disk).opened.mayVote)
    }

    @Test func `does not take a peer's segment that is damaged itself`() throws {
        let log = try AuditLog.closed(records: 120)
        let bytes = try #require(log.disk.contents(of: EngineHarness.path("000001.wal")))
        _ = try Self.damage(log.disk, "000001.wal", frame: 3)
        try log.disk.makeDirectory("/peer")
        let copy = try log.disk.open("/peer/000001.wal", .create)
        try copy.write(bytes.span.bytes, at: 0)
        log.disk.flip(bit: 20_000, of: "/peer/000001.wal")
        var options = Self.options
        options.peer = "/peer"
        let plan = try Self.repair(log.disk).plan(options)
        #expect(plan.actions.first == .bar)
        #expect(plan.actions.dropFirst().first.map { if case .cut = $0 { true } else { false } } == true, "\(plan)")
        #expect(plan.needsAcceptance && plan.unknown.contains { $0.contains("000001.wal") })
    }

    @Test func `is never applied without a plan, nor with one that no longer fits`() throws {
        let log = try AuditLog.closed(records: 120)
        _ = try Self.damage(log.disk, "000001.wal", frame: 3)
        #expect(throws: RepairError.noPlan) { try Self.repair(log.disk).apply(acceptsLoss: true) }
        _ = try Self.repair(log.disk).plan(Self.options)
        #expect(throws: RepairError.needsAcceptance) { try Self.repair(log.disk).apply(acceptsLoss: false) }
        _ = try Self.damage(log.disk, "000000.wal", frame: 2)
        let files = try Self.files(log.disk)
        #expect(throws: RepairError.stale) { try Self.repair(log.disk).apply(acceptsLoss: true) }
        #expect(try Self.files(log.disk) == files)
        _ = try Self.repair(log.disk).plan(Self.options)
        #expect(try !Self.apply(log.disk).isDamaged)
        guard case .appliedBefore = try Self.repair(log.disk).apply(acceptsLoss: true) else {
            Issue.record("applied twice")
            return
        }
        // What it vouched for may be gone.
        #expect(try !EngineHarness(log.disk).opened.mayVote)
    }

    @Test func `refuses a directory that is open`() throws {
        let log = try AuditLog()
        #expect(throws: LogError.self) { _ = try Self.repair(log.disk) }
        try log.writer.close()
        _ = try Self.repair(log.disk)
    }

    @Test func `that was killed at any step ends right when it is applied again`() throws {
        let whole = try Self.damagedLog()
        _ = try Self.repair(whole.disk).plan(Self.identityOptions)
        let start = whole.disk.counts.operations
        #expect(try !Self.apply(whole.disk).isDamaged)
        let end = whole.disk.counts.operations
        let expected = try Self.files(whole.disk)
        try #require(end > start + 10)
        for step in 1...(end - start) {
            for survival in [PowerCut.losesNothing, .losesAll] {
                let log = try Self.damagedLog()
                _ = try Self.repair(log.disk).plan(Self.identityOptions)
                log.disk.inject(.stop, atOperation: log.disk.counts.operations + step)
                _ = try? Self.apply(log.disk)
                log.disk.cutPower(survival)
                #expect(throws: Never.self, "step \(step), \(survival)") {
                    _ = try Self.repair(log.disk).apply(acceptsLoss: true)
                }
                #expect(try Self.files(log.disk) == expected, "step \(step), \(survival)")
            }
        }
    }

    @Test func `does not go on when the log was opened in between`() throws {
        let log = try AuditLog.closed(records: 120)
        _ = try Self.damage(log.disk, "000001.wal", frame: 3)
        var plan = try Self.repair(log.disk).plan(Self.options)
        plan.isApplying = true
        plan.starts = 7
        let files = LogFiles(fileSystem: log.disk, directory: EngineHarness.directory)
        try files.replace(RepairPlan.fileName, with: [UInt8](try JSONEncoder().encode(plan)))
        #expect(throws: RepairError.openedSince) { try Self.repair(log.disk).apply(acceptsLoss: true) }
    }

    @Test func `never replaces an earlier copy`() throws {
        let log = try AuditLog.closed(records: 120, mode: .standalone)
        for name in ["000002.wal.damaged", "DURABLE.damaged"] {
            try log.disk.open(EngineHarness.path(name), .create).write(([1, 2, 3] as [UInt8]).span.bytes, at: 0)
        }
        _ = try Self.damage(log.disk, "000001.wal", frame: 3)
        _ = try Self.repair(log.disk).plan(Self.options)
        _ = try Self.apply(log.disk)
        #expect(log.disk.contents(of: EngineHarness.path("000002.wal.damaged")) == [1, 2, 3])
        #expect(log.disk.contents(of: EngineHarness.path("DURABLE.damaged")) == [1, 2, 3])
        #expect(log.disk.contents(of: EngineHarness.path("000002.wal.damaged-2")) != nil)
    }

    @Test func `makes DURABLE again and says what is unknown then`() throws {
        let log = try AuditLog.closed(records: 50, mode: .standalone)
        try `An audit`.write(log.disk, LogFiles.durable, [UInt8](repeating: 9, count: 4096), at: 0)
        let plan = try Self.repair(log.disk).plan(Self.options)
        #expect(plan.actions.count == 1 && plan.unknown.contains { $0.contains("unknown") })
        #expect(try !Self.apply(log.disk).isDamaged)
        #expect(try EngineHarness(log.disk, mode: .standalone).values().count == 50)
    }

    @Test func `makes IDENTITY again only when it is told whose it is`() throws {
        let log = try AuditLog.closed(records: 5, mode: .standalone)
        log.disk.flip(bit: 300, of: EngineHarness.path(LogFiles.identity))
        #expect(try !Self.repair(log.disk).plan(Self.options).unresolved.isEmpty)
        let plan = try Self.repair(log.disk).plan(Self.identityOptions)
        #expect(plan.unresolved.isEmpty)
        #expect(try !Self.apply(log.disk).isDamaged)
        #expect(try EngineHarness(log.disk, mode: .standalone).values().count == 5)
    }

    // MARK: Helpers

    static let options = RepairPlan.Options(incarnation: 5)
    static let identityOptions = RepairPlan.Options(node: 1, incarnation: 5)

    static func repair(_ disk: SimulatedFileSystem) throws(LogError) -> LogRepair {
        try LogRepair(
            EngineHarness.directory, fileSystem: disk,
            encode: { plan in
                let encoder = JSONEncoder()
                encoder.outputFormatting = .sortedKeys
                return (try? encoder.encode(plan)).map { [UInt8]($0) } ?? []
            }, decode: { try? JSONDecoder().decode(RepairPlan.self, from: Data($0)) })
    }

    static func apply(_ disk: SimulatedFileSystem) throws -> AuditReport {
        guard case .applied(_, let report) = try Self.repair(disk).apply(acceptsLoss: true) else {
            throw RepairError.noPlan
        }
        return report
    }

    /// Damages a record of a frame, counted from the segment's checkpoint.
    ///
    /// - Returns: Where the frame begins.
    static func damage(_ disk: SimulatedFileSystem, _ name: String, frame: Int) throws -> Int {
        let bytes = try #require(disk.contents(of: EngineHarness.path(name)))
        var offset = SegmentHeader.byteCount
        for _ in 0..<frame {
            let header = try #require(try FrameHeader.decode(bytes.span.bytes.extracting(droppingFirst: offset)))
            offset += Int(header.length)
        }
        disk.flip(bit: (offset + 80) * 8, of: EngineHarness.path(name))
        return offset
    }

    /// With damage in a segment, in DURABLE and in IDENTITY.
    private static func damagedLog() throws -> AuditLog {
        let log = try AuditLog.closed(records: 120, mode: .standalone)
        _ = try Self.damage(log.disk, "000001.wal", frame: 3)
        try `An audit`.write(log.disk, LogFiles.durable, [UInt8](repeating: 9, count: 4096), at: 0)
        log.disk.flip(bit: 300, of: EngineHarness.path(LogFiles.identity))
        // All of it is as old as the log.
        for name in try log.disk.list(EngineHarness.directory) {
            try log.disk.open(EngineHarness.path(name), .write).sync()
        }
        return log
    }

    private static func files(_ disk: SimulatedFileSystem) throws -> [String: [UInt8]] {
        var files: [String: [UInt8]] = [:]
        for name in try disk.list(EngineHarness.directory) where name != LogFiles.lock {
            files[name] = disk.contents(of: EngineHarness.path(name))
        }
        return files
    }
}
