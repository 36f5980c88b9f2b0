import DiskIO
import LogModel
import SegmentFormat
import Simulation
import SystemPackage
import Testing

@testable import SegmentLog

/// Segments that are gone, and with them what would tell that they are missing.
@Suite struct `Without DURABLE` {
    private static let garbage = [UInt8](repeating: 9, count: 4096)

    /// A log of several segments, without the first two and with a bad DURABLE; and a copy of it as it was, in `/peer`.
    private static func log(_ mode: LogMode, durable: [UInt8]? = Self.garbage) throws -> AuditLog {
        let log = try AuditLog.closed(records: 150, mode: mode)
        try log.disk.makeDirectory("/peer")
        for name in try log.disk.list(EngineHarness.directory) where name.hasSuffix(".wal") {
            let bytes = try #require(log.disk.contents(of: EngineHarness.path(name)))
            try log.disk.open(FilePath("/peer").appending(name), .create).write(bytes.span.bytes, at: 0)
        }
        for name in ["000000.wal", "000001.wal"] { try log.disk.remove(EngineHarness.path(name)) }
        if let durable {
            try `An audit`.write(log.disk, LogFiles.durable, durable, at: 0)
        } else {
            try log.disk.remove(EngineHarness.path(LogFiles.durable))
        }
        return log
    }

    @Test(arguments: [Self.garbage, nil])
    func `a node misses the first segments: its log says that nothing was trimmed`(_ durable: [UInt8]?) throws {
        let log = try Self.log(.cluster, durable: durable)
        let report = try `An audit`.audit(log.disk)
        #expect(report.damagedSegments == [SegmentID(0), SegmentID(1)])
        #expect(throws: LogError.damaged(Damage(.first, 0..<0, .missing))) { try EngineHarness(log.disk) }
        let harness = try EngineHarness(log.disk, recovery: .quarantineDamage)
        let opened = harness.opened
        #expect(opened.report.damage.map(\.segment) == [SegmentID(0), SegmentID(1)] && !opened.mayVote)
        let store = try #require(opened.store)
        #expect(store.first == .zero)
        #expect(throws: LogError.self) { try store.checkpoint(of: .first) }
        try harness.writer.close()
        #expect(try `An audit`.audit(log.disk).damagedSegments == [SegmentID(0), SegmentID(1)])
    }

    @Test func `a node takes the first segments from a peer, and nothing else will do`() throws {
        let log = try Self.log(.cluster)
        let alone = try RepairTests.repair(log.disk).plan(RepairTests.options)
        #expect(alone.unresolved.contains { $0.contains("--peer") }, "\(alone)")
        var options = RepairTests.options
        options.peer = "/peer"
        let plan = try RepairTests.repair(log.disk).plan(options)
        #expect(plan.unresolved == [] && plan.actions.first == .bar)
        #expect(try !RepairTests.apply(log.disk).isDamaged)
        let opened = try EngineHarness(log.disk).opened
        #expect(opened.store?.first == .zero && !opened.mayVote && opened.report.damage == [])
    }

    @Test func `a log of its own begins with what is there only when that is accepted`() throws {
        let log = try Self.log(.standalone)
        let report = try `An audit`.audit(log.disk)
        #expect(report.findings.contains { $0.fault == .beginning && $0.severity == .unclear })
        let plan = try RepairTests.repair(log.disk).plan(RepairTests.options)
        #expect(plan.needsAcceptance && plan.unknown.contains { $0.contains("000002.wal, record") }, "\(plan)")
        #expect(throws: RepairError.needsAcceptance) { try RepairTests.repair(log.disk).apply(acceptsLoss: false) }
        #expect(try !RepairTests.apply(log.disk).isDamaged)
        #expect(try EngineHarness(log.disk, mode: .standalone).opened.store?.first.segment == SegmentID(2))
    }
}

extension RepairTests {
    @Test func `that was not finished is planned anew when a peer is named, or the log was opened since`() throws {
        let log = try AuditLog.closed(records: 120)
        try log.disk.makeDirectory("/peer")
        for name in try log.disk.list(EngineHarness.directory) where name.hasSuffix(".wal") {
            let bytes = try #require(log.disk.contents(of: EngineHarness.path(name)))
            try log.disk.open(FilePath("/peer").appending(name), .create).write(bytes.span.bytes, at: 0)
        }
        let tail = try `An audit`.audit(log.disk).soundChain?.tail
        _ = try Self.damage(log.disk, "000001.wal", frame: 3)
        _ = try Self.repair(log.disk).plan(Self.options)
        // Dies when two segments have been moved away.
        while try !log.disk.list(EngineHarness.directory).contains("000003.wal.damaged") {
            log.disk.inject(.stop, atOperation: log.disk.counts.operations + 14)
            _ = try? Self.apply(log.disk)
            log.disk.cutPower(.losesNothing)
        }
        #expect(try Self.repair(log.disk).plan(Self.options).isApplying)
        #expect(throws: LogError.self) { try EngineHarness(log.disk) }
        let anew = try Self.repair(log.disk).plan(Self.options)
        #expect(!anew.isApplying && anew.needsAcceptance)
        #expect(anew.actions.contains { if case .cut(let cut) = $0 { cut.lastIndex == nil } else { false } })
        var options = Self.options
        options.peer = "/peer"
        let plan = try Self.repair(log.disk).plan(options)
        #expect(!plan.isApplying && !plan.needsAcceptance && plan.unresolved == [] && plan.unknown == [], "\(plan)")
        #expect(try !Self.apply(log.disk).isDamaged)
        #expect(try EngineHarness(log.disk).tail == tail)
    }

    @Test func `puts a wrong IDENTITY right when it is told whose it is`() throws {
        let log = try AuditLog.closed(records: 5, mode: .standalone)
        var options = Self.options
        options.node = 7
        #expect(try Self.repair(log.disk).plan(options).actions.count == 1)
        _ = try Self.apply(log.disk)
        #expect(throws: LogError.self) { try EngineHarness(log.disk, mode: .standalone) }
        #expect(try Self.repair(log.disk).plan(Self.options).actions == [])
        _ = try Self.repair(log.disk).plan(Self.identityOptions)
        #expect(try !Self.apply(log.disk).isDamaged)
        #expect(try EngineHarness(log.disk, mode: .standalone).values().count == 5)
    }
}
