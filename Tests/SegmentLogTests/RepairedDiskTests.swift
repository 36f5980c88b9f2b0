import DiskIO
import Foundation
import LogModel
import SegmentFormat
import Simulation
import SystemPackage
import Testing

@testable import SegmentLog

/// Repairs on disks that refuse, and of damage that is smaller than it looks.
extension RepairTests {
    /// All segments of a directory, copied to `/peer`.
    static func copySegments(_ disk: SimulatedFileSystem) throws {
        try disk.makeDirectory("/peer")
        for name in try disk.list(EngineHarness.directory) where name.hasSuffix(".wal") {
            let bytes = try #require(disk.contents(of: EngineHarness.path(name)))
            try disk.open(FilePath("/peer").appending(name), .create).write(bytes.span.bytes, at: 0)
        }
    }

    private static var peerOptions: RepairPlan.Options {
        var options = Self.options
        options.peer = "/peer"
        return options
    }

    @Test(arguments: [0, 10, 2000])
    func `takes a segment from a peer when the disk does not deliver its own`(_ offset: Int) throws {
        let log = try AuditLog.closed(records: 120)
        try Self.copySegments(log.disk)
        let good = log.disk.contents(of: EngineHarness.path("000001.wal"))
        log.disk.breakSector(holding: offset, of: EngineHarness.path("000001.wal"))
        let plan = try Self.repair(log.disk).plan(Self.peerOptions)
        #expect(!plan.needsAcceptance && plan.unresolved == [], "\(plan)")
        #expect(try !Self.apply(log.disk).isDamaged)
        #expect(log.disk.contents(of: EngineHarness.path("000001.wal")) == good)
        #expect(try EngineHarness(log.disk).opened.report.damage == [])
    }

    @Test func `alone keeps every frame before a sector that the disk does not deliver`() throws {
        let log = try AuditLog.closed(records: 120, mode: .standalone)
        let bytes = try #require(log.disk.contents(of: EngineHarness.path("000001.wal")))
        var chain = SegmentScan.chain(before: try SegmentHeader.decode(bytes.span.bytes))
        var frames: [(header: FrameHeader, position: Position)] = []
        try chain.accept(range: bytes[...], at: Position(1, 0)) { header, _, position in
            frames.append((header, position))
        }
        let broken = Int(frames[12].position.offset)
        log.disk.breakSector(holding: broken, of: EngineHarness.path("000001.wal"))
        _ = try Self.repair(log.disk).plan(Self.options)
        #expect(try !Self.apply(log.disk).isDamaged)
        // Whole sectors go.
        let last = try #require(frames.last { Int($0.position.offset) + Int($0.header.length) <= broken / 512 * 512 })
        let again = try EngineHarness(log.disk, mode: .standalone)
        #expect(again.tail == last.position.advanced(by: Int(last.header.length)))
        #expect(try again.values().count == Int(last.header.nextIndex.rawValue) - 1)
        let names = try log.disk.list(EngineHarness.directory)
        #expect(names.contains("000001.wal.damaged") && names.contains("000002.wal.damaged"))
    }

    @Test func `is done with small files that the disk does not deliver`() throws {
        let log = try AuditLog.closed(records: 20, mode: .standalone)
        log.disk.breakSector(holding: 0, of: EngineHarness.path(LogFiles.durable))
        log.disk.breakSector(holding: 0, of: EngineHarness.path(LogFiles.identity))
        _ = try Self.repair(log.disk).plan(Self.identityOptions)
        #expect(try !Self.apply(log.disk).isDamaged)
        #expect(try EngineHarness(log.disk, mode: .standalone).values().count == 20)
    }

    @Test func `a node whose disk does not deliver a sealed segment's header opens, and names it`() throws {
        let log = try AuditLog.closed(records: 120)
        log.disk.breakSector(holding: 0, of: EngineHarness.path("000001.wal"))
        let harness = try EngineHarness(log.disk, recovery: .quarantineDamage)
        let damage = try #require(harness.opened.report.damage.first)
        #expect(damage.segment == SegmentID(1))
        guard case .unreadable = damage.kind else {
            Issue.record("\(damage)")
            return
        }
    }

    @Test func `drops nothing that is whole behind a segment that is only too long`() throws {
        let log = try AuditLog.closed(records: 150, mode: .standalone)
        let path = EngineHarness.path("000001.wal")
        let length = try #require(log.disk.contents(of: path)).count
        try log.disk.open(path, .write).write([UInt8](repeating: 7, count: 10).span.bytes, at: length)
        let damaged = try Self.damage(log.disk, "000003.wal", frame: 5)
        let plan = try Self.repair(log.disk).plan(Self.options)
        let cuts = plan.actions.compactMap { if case .cut(let cut) = $0 { cut } else { nil } }
        #expect(cuts.map(\.segment) == [3] && cuts.map(\.offset) == [damaged], "\(plan)")
        #expect(try !Self.apply(log.disk).isDamaged)
        #expect(try EngineHarness(log.disk, mode: .standalone).tail == Position(3, UInt32(damaged)))
    }

    @Test func `without DURABLE knows where the log ends, full segments not cut to their length among it`() throws {
        var log = try AuditLog(mode: .standalone)
        try log.fill(60)
        log.disk.killProcess()
        let tail = log.tail
        try `An audit`.write(log.disk, LogFiles.durable, [UInt8](repeating: 9, count: 4096), at: 0)
        let plan = try Self.repair(log.disk).plan(Self.options)
        let ends = plan.actions.compactMap {
            if case .writeDurable(let new, _) = $0 { Position(new.segment, new.offset) } else { nil }
        }
        #expect(ends == [tail], "\(plan)")
        #expect(try !Self.apply(log.disk).isDamaged)
        // What DURABLE vouches for now survives the power.
        log.disk.cutPower(.losesAll)
        #expect(try EngineHarness(log.disk, mode: .standalone).values().count == 60)
    }

    @Test func `cuts in a segment that a peer gave`() throws {
        let log = try AuditLog.closed(records: 150)
        try Self.copySegments(log.disk)
        try log.disk.remove("/peer/000002.wal")
        try log.disk.remove(EngineHarness.path("000001.wal"))
        _ = try Self.damage(log.disk, "000002.wal", frame: 0)
        let plan = try Self.repair(log.disk).plan(Self.peerOptions)
        #expect(plan.actions.contains { if case .replace(1, _, _, _, _) = $0 { true } else { false } }, "\(plan)")
        #expect(try !Self.apply(log.disk).isDamaged)
        #expect(try EngineHarness(log.disk).tail.segment == SegmentID(1))
    }

    @Test func `that was done is not done again to a log that went on`() throws {
        let log = try AuditLog.closed(records: 50, mode: .standalone)
        try `An audit`.write(log.disk, LogFiles.durable, [UInt8](repeating: 9, count: 4096), at: 0)
        log.disk.flip(bit: 300, of: EngineHarness.path(LogFiles.identity))
        _ = try Self.repair(log.disk).plan(Self.identityOptions)
        let plan = try #require(log.disk.contents(of: EngineHarness.path(RepairPlan.fileName)))
        _ = try Self.apply(log.disk)
        // As if it had died right before the plan got its other name.
        var begun = try JSONDecoder().decode(RepairPlan.self, from: Data(plan))
        begun.isApplying = true
        try LogFiles(fileSystem: log.disk, directory: EngineHarness.directory)
            .replace(RepairPlan.fileName, with: [UInt8](try JSONEncoder().encode(begun)))
        let opened = try EngineHarness(log.disk, mode: .standalone)
        try opened.fill(50, prefix: "n")
        try opened.writer.close()
        #expect(throws: RepairError.openedSince) { try Self.repair(log.disk).apply(acceptsLoss: true) }
        #expect(try EngineHarness(log.disk, mode: .standalone).values().count == 100)
    }

    @Test func `does nothing to files that no plan may name`() throws {
        let log = try AuditLog.closed(records: 120, mode: .standalone)
        _ = try Self.damage(log.disk, "000001.wal", frame: 3)
        try log.disk.makeDirectory("/log/..")
        let victim = try log.disk.open("/log/../victim", .create)
        try victim.write([UInt8](repeating: 1, count: 100).span.bytes, at: 0)
        var plan = try Self.repair(log.disk).plan(Self.options)
        plan.isApplying = true
        let piece = RepairPlan.Piece(
            name: "../victim", offset: 1, byteCount: 99,
            checksum: CRC32C.checksum([UInt8](repeating: 1, count: 99).span.bytes), keptAs: "000001.wal.damaged")
        plan.actions = [.shorten(piece)]
        try LogFiles(fileSystem: log.disk, directory: EngineHarness.directory)
            .replace(RepairPlan.fileName, with: [UInt8](try JSONEncoder().encode(plan)))
        #expect(throws: RepairError.noPlan) { try Self.repair(log.disk).apply(acceptsLoss: true) }
        #expect(log.disk.contents(of: "/log/../victim")?.count == 100)
    }
}

extension `An audit` {
    /// The file is cut to its length while it is read: a running node seals a segment.
    @Test(.timeLimit(.minutes(1))) func `ends where a file ends that has become shorter meanwhile`() throws {
        let log = try AuditLog.closed(records: 20)
        let path = EngineHarness.path("000000.wal")
        let length = try #require(log.disk.contents(of: path)).count
        for cut in [0, 1, 30, 200] {
            log.disk.replaceContents(of: path, with: log.disk.contents(of: path).map { Array($0.prefix(length - cut)) })
            var audit = SegmentAudit(
                try log.disk.open(path, .read), byteCount: 1 << 20,
                terms: SegmentAudit.Terms(segment: .first, expectedByteCount: nil, syncedByteCount: 0), cluster: nil,
                chain: nil, state: nil, progress: { _ in })
            try audit.run()
            #expect(audit.offset <= length - cut && audit.frameCount > 10 && !audit.isDamaged, "\(cut)")
        }
    }
}
