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
        try RepairTests.copySegments(log.disk)
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
    @Test func `that was not finished keeps the log closed, goes on, and is planned anew when a peer is named`() throws
    {
        let log = try AuditLog.closed(records: 120)
        try RepairTests.copySegments(log.disk)
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
        #expect(throws: LogError.repairUnfinished) { try EngineHarness(log.disk) }
        #expect(try Self.repair(log.disk).plan(Self.options).isApplying)
        let other = log.disk.copy()
        #expect(try !Self.apply(other).isDamaged)
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

/// What a log loses when DURABLE is gone, and something else with it.
extension `Without DURABLE` {
    private static func nodeWithout(_ durable: [UInt8]?, records: Int = 150) throws -> AuditLog {
        let log = try AuditLog.closed(records: records)
        if let durable {
            try `An audit`.write(log.disk, LogFiles.durable, durable, at: 0)
        } else {
            try log.disk.remove(EngineHarness.path(LogFiles.durable))
        }
        return log
    }

    /// It was taken for a log without a single frame, and all of its segments for what lies behind the end of that.
    @Test(arguments: [[UInt8](repeating: 9, count: 4096), nil], [true, false])
    func `a last segment without a whole frame takes nothing else with it`(_ durable: [UInt8]?, isTorn: Bool) throws {
        let log = try Self.nodeWithout(durable)
        let last = log.tail.segment
        let path = EngineHarness.path(last.fileName)
        if isTorn {
            let bytes = try #require(log.disk.contents(of: path)).prefix(SegmentHeader.byteCount)
            log.disk.replaceContents(of: path, with: bytes + [UInt8](repeating: 0, count: 4096 - bytes.count))
        } else {
            log.disk.flip(bit: 8 * (SegmentHeader.byteCount + 20), of: path)
        }
        let bytes = try #require(log.disk.contents(of: path))
        let opened = try EngineHarness(log.disk)
        #expect(opened.tail.segment == SegmentID(last.rawValue - 1) && !opened.opened.mayVote)
        #expect(opened.store.segments.count == Int(last.rawValue))
        #expect(log.disk.contents(of: EngineHarness.path("\(last.fileName).damaged")) == bytes)
    }

    @Test func `a log without a single whole frame is refused, and stays as it is`() throws {
        let log = try Self.nodeWithout([UInt8](repeating: 9, count: 4096))
        let names = LogFiles.segments(in: try log.disk.list(EngineHarness.directory)).map(\.fileName)
        for name in names { log.disk.flip(bit: 8 * (SegmentHeader.byteCount + 20), of: EngineHarness.path(name)) }
        for recovery in [RecoveryMode.refuseDamage, .quarantineDamage, .tolerateDamage] {
            #expect(throws: LogError.self) { try EngineHarness(log.disk, recovery: recovery) }
            #expect(LogFiles.segments(in: try log.disk.list(EngineHarness.directory)).map(\.fileName) == names)
        }
    }

    @Test func `a node keeps aside what may have been synced`() throws {
        let log = try Self.nodeWithout([UInt8](repeating: 9, count: 4096))
        let name = log.tail.segment.fileName
        log.disk.flip(bit: 8 * 700, of: EngineHarness.path(name))
        let bytes = log.disk.contents(of: EngineHarness.path(name))
        let opened = try EngineHarness(log.disk).opened
        #expect(opened.report.setAside == ["\(name).damaged"] && opened.report.damage == [] && !opened.mayVote)
        #expect(log.disk.contents(of: EngineHarness.path("\(name).damaged")) == bytes)
    }

    @Test func `a directory that lost its votes is a node's all the same`() throws {
        let log = try AuditLog.closed(records: 20)
        try log.disk.remove(EngineHarness.path(LogFiles.vote))
        #expect(throws: LogError.foreignDirectory(.clusterNode)) { try EngineHarness(log.disk, mode: .standalone) }
    }

    @Test func `an unknown tail counts as synced only once it is`() throws {
        let log = try AuditLog.closed(records: 60, mode: .standalone)
        try `An audit`.write(log.disk, LogFiles.durable, [UInt8](repeating: 9, count: 4096), at: 0)
        log.disk.flip(bit: 8 * 700, of: EngineHarness.path(log.tail.segment.fileName))
        for name in try log.disk.list(EngineHarness.directory) {
            try log.disk.open(EngineHarness.path(name), .write).sync()
        }
        let before = log.disk.counts.operations
        let whole = log.disk.copy()
        let expected = try EngineHarness(whole, mode: .standalone, recovery: .tolerateDamage).values()
        for step in 1...(whole.counts.operations - before) {
            let disk = log.disk.copy()
            disk.inject(.stop, atOperation: before + step)
            _ = try? EngineHarness(disk, mode: .standalone, recovery: .tolerateDamage)
            disk.cutPower(.losesAll)
            #expect(
                try EngineHarness(disk, mode: .standalone, recovery: .tolerateDamage).values() == expected, "\(step)")
        }
    }
}

/// More than one thing is wrong.
extension `Opening with care` {
    @Test func `two damaged places end the log at the first, and nothing of it is lost or untold`() throws {
        let log = try AuditLog.closed(records: 200, mode: .standalone)
        let last = Int(log.tail.segment.rawValue)
        try #require(last >= 4)
        log.disk.flip(bit: 8 * 20, of: EngineHarness.path(SegmentID(UInt32(last - 1)).fileName))
        log.disk.flip(bit: 8 * 700, of: EngineHarness.path(SegmentID(UInt32(last - 2)).fileName))
        let names = (last - 2...last).map { SegmentID(UInt32($0)).fileName }
        let bytes = names.map { log.disk.contents(of: EngineHarness.path($0)) }
        let report = try EngineHarness(log.disk, mode: .standalone, recovery: .tolerateDamage).opened.report
        #expect(report.tail.segment == SegmentID(UInt32(last - 2)) && report.damage.count == 2, "\(report)")
        #expect(report.setAside == names.map { "\($0).damaged" })
        #expect(names.map { log.disk.contents(of: EngineHarness.path("\($0).damaged")) } == bytes)
    }

    @Test func `a sealed segment's header on a bad sector is damage like any other`() throws {
        let log = try AuditLog.closed(records: 150, mode: .standalone)
        log.disk.breakSector(holding: 0, of: EngineHarness.path("000002.wal"))
        let error = #expect(throws: LogError.self) { try EngineHarness(log.disk, mode: .standalone) }
        guard case .damaged(let damage) = error, damage.segment == SegmentID(2) else {
            Issue.record("\(String(describing: error))")
            return
        }
        let again = try EngineHarness(log.disk, mode: .standalone, recovery: .tolerateDamage)
        #expect(again.tail.segment == SegmentID(1))
    }
}

extension RepairTests {
    @Test func `a torn tail beside it does not hide who the members are`() throws {
        var log = try AuditLog(mode: .cluster)
        try log.fill(30)
        try log.writer.sync()
        let synced = log.tail
        try log.fill(3, prefix: "u")
        log.disk.killProcess()
        log.disk.flip(bit: 8 * (Int(synced.offset) + 60), of: EngineHarness.path(synced.segment.fileName))
        log.disk.flip(bit: 300, of: EngineHarness.path(LogFiles.identity))
        let plan = try Self.repair(log.disk).plan(Self.identityOptions)
        #expect(plan.unresolved == [], "\(plan)")
        #expect(try !Self.apply(log.disk).isDamaged)
        #expect(try EngineHarness(log.disk).opened.identity.incarnation == EngineHarness.incarnation)
    }

    @Test func `says so when segments that were never synced go with a replaced one`() throws {
        var log = try AuditLog(mode: .standalone)
        try log.fill(40)
        try log.writer.sync()
        let synced = log.tail
        try log.fill(80, prefix: "u")
        log.disk.killProcess()
        try RepairTests.copySegments(log.disk)
        _ = try Self.damage(log.disk, synced.segment.fileName, frame: 2)
        var options = Self.options
        options.peer = "/peer"
        let plan = try Self.repair(log.disk).plan(options)
        #expect(plan.needsAcceptance, "\(plan)")
        let moved = plan.actions.flatMap { action -> [String] in
            if case .cut(let cut) = action { cut.segments.map(\.name) } else { [] }
        }
        let later = LogFiles.segments(in: try log.disk.list(EngineHarness.directory)).filter { $0 > synced.segment }
        #expect(!later.isEmpty && Set(moved) == Set(later.map(\.fileName)))
        #expect(try !Self.apply(log.disk).isDamaged)
        #expect(try EngineHarness(log.disk, mode: .standalone).tail == synced)
    }

    @Test func `DURABLE that says that nothing was ever synced is made again`() throws {
        let log = try AuditLog.closed(records: 30, mode: .standalone)
        log.disk.replaceContents(of: EngineHarness.path(LogFiles.durable), with: DurableFile.blank())
        #expect(throws: LogError.sidecarDamaged(file: "DURABLE")) { try EngineHarness(log.disk, mode: .standalone) }
        #expect(try `An audit`.audit(log.disk).isDamaged)
        _ = try Self.repair(log.disk).plan(Self.options)
        #expect(try !Self.apply(log.disk).isDamaged)
        #expect(try EngineHarness(log.disk, mode: .standalone).values().count == 30)
    }

    @Test func `looks for a bad sector by halves, and once`() throws {
        let log = try AuditLog.closed(records: 20)
        let path = EngineHarness.path("000000.wal")
        let bytes = try #require(log.disk.contents(of: path))
        // Zeros far behind the data, and then a sector that is bad.
        log.disk.replaceContents(of: path, with: bytes + [UInt8](repeating: 0, count: 400_000))
        log.disk.breakSector(holding: bytes.count + 300_000, of: path)
        let reads = log.disk.counts.reads
        #expect(try `An audit`.audit(log.disk).isDamaged)
        #expect(log.disk.counts.reads - reads < 200)
    }
}

extension `Without DURABLE` {
    @Test func `several full segments that were not cut to their length are no damage`() throws {
        let log = try EngineHarness(mode: .standalone)
        try log.fill(120)
        log.disk.killProcess()
        try `An audit`.write(log.disk, LogFiles.durable, [UInt8](repeating: 9, count: 4096), at: 0)
        let again = try EngineHarness(log.disk, mode: .standalone, recovery: .tolerateDamage)
        #expect(try again.values().count == 120)
        #expect(again.opened.report.damage == [] && again.opened.report.setAside == [])
    }
}

extension RepairTests {
    @Test func `a begun repair is planned anew when its peer has changed, and never forgotten before it is done`()
        throws
    {
        let log = try AuditLog.closed(records: 120)
        try RepairTests.copySegments(log.disk)
        _ = try Self.damage(log.disk, "000000.wal", frame: 3)
        _ = try Self.damage(log.disk, "000001.wal", frame: 3)
        var options = Self.options
        options.peer = "/peer"
        _ = try Self.repair(log.disk).plan(options)
        while try !log.disk.list(EngineHarness.directory).contains("000000.wal.damaged") {
            log.disk.inject(.stop, atOperation: log.disk.counts.operations + 12)
            _ = try? Self.apply(log.disk)
            log.disk.cutPower(.losesNothing)
        }
        #expect(try log.disk.list(EngineHarness.directory).contains(RepairPlan.begunFileName))
        let whole = log.disk.copy()
        #expect(try Self.repair(whole).plan(options).isApplying)
        #expect(try !Self.apply(whole).isDamaged)
        // Looking without the peer finds nothing that could be done, and forgets nothing.
        try log.disk.remove("/peer/000001.wal")
        #expect(throws: RepairError.sourceChanged("/peer/000001.wal")) { try Self.apply(log.disk) }
        #expect(try !Self.repair(log.disk).plan(options).isApplying)
        #expect(throws: LogError.repairUnfinished) { try EngineHarness(log.disk) }
        #expect(try !Self.apply(log.disk).isDamaged)
        #expect(throws: Never.self) { try EngineHarness(log.disk) }
    }

    @Test func `a begun repair that cannot be read says so`() throws {
        let log = try AuditLog.closed(records: 20)
        try LogFiles(fileSystem: log.disk, directory: EngineHarness.directory)
            .replace(RepairPlan.begunFileName, with: [1, 2, 3])
        #expect(throws: LogError.repairUnfinished) { try EngineHarness(log.disk) }
        #expect(throws: RepairError.begunUnreadable) { try Self.repair(log.disk).apply(acceptsLoss: true) }
        #expect(try Self.repair(log.disk).plan(Self.options).actions == [])
        #expect(throws: Never.self) { try EngineHarness(log.disk) }
    }
}
