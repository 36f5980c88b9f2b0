import DiskIO
import LogModel
import SegmentFormat
import Simulation
import SystemPackage
import Testing

@testable import SegmentLog

@Suite struct `An audit` {
    @Test(arguments: [LogMode.standalone, .cluster])
    func `of a sound log finds nothing, while it is open and after it was closed`(_ mode: LogMode) throws {
        var log = try AuditLog(mode: mode)
        try log.fill(100)
        try log.writer.sync()
        let open = try Self.audit(log.disk)
        #expect(open.findings.filter { $0.severity != .note } == [] && open.segments.count > 2)
        try log.writer.close()
        let closed = try Self.audit(log.disk)
        #expect(closed.findings == [] && closed.durable?.isClean == true && !closed.isDamaged)
        #expect(closed.isCluster == (mode == .cluster))
        #expect(closed.segments.reduce(0) { $0 + $1.recordCount } == 100)
        #expect(closed.soundChain?.tail == log.tail && closed.soundChain?.nextIndex == LogIndex(101))
        #expect(closed.segments.map(\.condition).dropLast().allSatisfy { $0 == .good })
        #expect(closed.segments.last?.condition == .active)
    }

    @Test func `finds every flipped bit of a segment, in a range that holds it`() throws {
        let log = try AuditLog.closed(records: 60)
        let segments = try Self.audit(log.disk).segments
        try #require(segments.count >= 2)
        for segment in segments {
            let path = EngineHarness.path(segment.id.fileName)
            for bit in stride(from: 0, to: segment.byteCount * 8, by: 61) {
                log.disk.flip(bit: bit, of: path)
                let report = try Self.audit(log.disk)
                let finding = report.findings.first { $0.file == segment.id.fileName }
                #expect(report.isDamaged, "bit \(bit) of \(segment.id)")
                #expect(finding?.range.contains(bit / 8) == true, "bit \(bit) of \(segment.id): \(report.findings)")
                log.disk.flip(bit: bit, of: path)
            }
        }
        #expect(try !Self.audit(log.disk).isDamaged)
    }

    @Test func `goes on behind damage and says which records are lost`() throws {
        let log = try AuditLog.closed(records: 20)
        let path = EngineHarness.path("000000.wal")
        let whole = try Self.frames(log.disk, "000000.wal")
        // One frame's record, another one's header, and a hole of zeros over two more.
        log.disk.flip(bit: (Int(whole[4].position.offset) + 70) * 8, of: path)
        log.disk.flip(bit: (Int(whole[8].position.offset) + 9) * 8, of: path)
        try Self.write(
            log.disk, "000000.wal", [UInt8](repeating: 0, count: Int(whole[12].header.length) + 40),
            at: Int(whole[12].position.offset))
        let report = try Self.audit(log.disk)
        let damage = report.findings.filter { $0.severity == .damage }
        #expect(
            damage.map(\.range) == [4, 8].map { Self.range(whole[$0]) } + [
                Self.range(whole[12]).lowerBound..<Self.range(whole[13]).upperBound
            ])
        #expect(
            damage.map(\.lostRecords) == [whole[4], whole[8]].map {
                $0.header.firstIndex..<$0.header.nextIndex
            } + [whole[12].header.firstIndex..<whole[13].header.nextIndex])
        #expect(report.soundChain?.tail == whole[4].position)
    }

    @Test func `names a segment file that nothing leads to, without missing all that would stand before it`() throws {
        let log = try AuditLog.closed(records: 20)
        let before = try Self.audit(log.disk)
        _ = try log.disk.open(EngineHarness.path("999999.wal"), .create)
        let report = try Self.audit(log.disk)
        #expect(!report.isDamaged && report.soundChain?.tail == log.tail)
        #expect(report.segments.map(\.condition) == before.segments.map(\.condition) + [.tail])
        let next = before.segments.count
        #expect(
            report.findings.map(\.fault).filter { $0 != .short(expected: 64) } == [
                .unreachable(missing: 999_999 - next)
            ],
            "\(report.findings)")
    }

    @Test func `takes what was never synced for a tail`() throws {
        var log = try AuditLog()
        try log.fill(10)
        try log.writer.sync()
        let synced = log.tail
        try log.fill(60, prefix: "u")
        #expect(try !Self.audit(log.disk).isDamaged)
        log.disk.flip(bit: (Int(synced.offset) + 60) * 8, of: EngineHarness.path("000000.wal"))
        let report = try Self.audit(log.disk)
        #expect(!report.isDamaged)
        #expect(report.findings.contains { $0.severity == .tail && $0.range.lowerBound == Int(synced.offset) })
        #expect(report.soundChain?.tail == synced)
        // One bit earlier, and it is damage.
        log.disk.flip(bit: (Int(synced.offset) - 1) * 8, of: EngineHarness.path("000000.wal"))
        #expect(try Self.audit(log.disk).isDamaged)
    }

    @Test func `names files that are missing, too short and too long`() throws {
        let log = try AuditLog.closed(records: 120)
        let before = try Self.audit(log.disk).segments
        try #require(before.count >= 4)
        let end = before[1].byteCount
        try Self.write(log.disk, "000001.wal", [UInt8](repeating: 0, count: 100), at: end)
        let long = try Self.audit(log.disk).findings
        #expect(long == [AuditFinding("000001.wal", end..<end + 100, .excess(expected: end), .damage)])
        try log.disk.open(EngineHarness.path("000001.wal"), .write).truncate(to: end - 10)
        let short = try #require(try Self.audit(log.disk).findings.first)
        #expect(short.file == "000001.wal" && short.severity == .damage && short.range.upperBound >= end - 10)
        try log.disk.remove(EngineHarness.path("000001.wal"))
        try log.disk.remove(EngineHarness.path(before.last?.id.fileName ?? ""))
        let missing = try Self.audit(log.disk)
        #expect(
            missing.findings.filter { $0.fault == .missing }.map(\.file) == [
                "000001.wal", before.last?.id.fileName ?? "",
            ])
    }

    @Test func `reads the files beside the segments`() throws {
        for (name, fault) in [
            (LogFiles.identity, AuditFault.unreadable), (LogFiles.durable, .unreadable), (LogFiles.vote, .unreadable),
        ] {
            let log = try AuditLog.closed(records: 5)
            let count = try #require(log.disk.contents(of: EngineHarness.path(name))?.count)
            try Self.write(log.disk, name, [UInt8](repeating: 0x55, count: count), at: 0)
            let report = try Self.audit(log.disk)
            #expect(report.findings.contains { $0.file == name && $0.fault == fault && $0.severity == .damage })
            try log.disk.remove(EngineHarness.path(name))
            if name != LogFiles.vote { #expect(try Self.audit(log.disk).isDamaged) }
        }
        let log = try AuditLog.closed(records: 5)
        log.disk.flip(bit: 100, of: EngineHarness.path(LogFiles.vote))
        let report = try Self.audit(log.disk)
        #expect(!report.isDamaged && report.findings.map(\.fault) == [.slot(0)])
    }

    // MARK: Helpers

    static func audit(_ disk: SimulatedFileSystem) throws(LogError) -> AuditReport {
        try LogAudit.run(EngineHarness.directory, fileSystem: disk)
    }

    static func write(_ disk: SimulatedFileSystem, _ name: String, _ bytes: [UInt8], at offset: Int) throws(DiskError) {
        try disk.open(EngineHarness.path(name), .write).write(bytes.span.bytes, at: offset)
    }

    /// All frames of a whole segment file.
    static func frames(
        _ disk: SimulatedFileSystem, _ name: String
    ) throws -> [(header: FrameHeader, position: Position)] {
        let bytes = try #require(disk.contents(of: EngineHarness.path(name)))
        var chain = FrameChain(empty: EngineHarness.cluster)
        var frames: [(header: FrameHeader, position: Position)] = []
        try chain.accept(range: bytes[...], at: .zero) { header, _, position in frames.append((header, position)) }
        return frames
    }

    private static func range(_ frame: (header: FrameHeader, position: Position)) -> Range<Int> {
        Int(frame.position.offset)..<Int(frame.position.offset) + Int(frame.header.length)
    }
}
