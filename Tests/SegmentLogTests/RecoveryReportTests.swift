import LogModel
import Simulation
import Testing

@testable import SegmentLog

@Suite struct `The report of an opening` {
    @Test func `is one readable paragraph`() throws {
        let log = try EngineHarness()
        try log.append("kept")
        try log.writer.sync()
        let tail = log.tail
        try log.append(EngineHarness.value(1))
        try log.fill(60)
        log.disk.flip(bit: (Int(tail.offset) + 60) * 8, of: EngineHarness.path("000000.wal"))
        log.disk.killProcess()
        let report = try EngineHarness(log.disk).opened.report
        let cut = try #require(report.cut)
        #expect(cut.frameCount == 61 + cut.segmentCount)
        let text = "\(report)"
        #expect(
            text.hasPrefix(
                """
                not closed cleanly, start 2: 1 segment, \(tail.offset) bytes from 0:0 to \(tail), next index 2; \
                checked \(tail.offset) bytes (2 frames) on opening; synced through \(tail) before; \
                cut \(cut.byteCount) bytes (\(cut.frameCount) frames) from \(tail) on that were never synced, \
                2 whole segments among them: the frame's records are not what its checksum says
                """), "\(text)")
        #expect(!text.contains("\n"))
    }

    @Test func `says little when there is little to say`() throws {
        let log = try EngineHarness()
        try log.writer.close()
        let report = try EngineHarness(log.disk).opened.report
        let end = EngineHarness.start
        #expect(
            "\(report)"
                == "closed cleanly, start 2: 1 segment, \(end.offset) bytes from 0:0 to \(end), next index 1; "
                + "checked \(end.offset) bytes (1 frame) on opening")
    }

    @Test func `names damage and what was set aside, and replaces no earlier copy`() throws {
        let log = try EngineHarness()
        try log.fill(100)
        try log.writer.close()
        let lost = log.store.segments[2].byteCount
        try log.disk.remove(EngineHarness.path("000002.wal"))
        let again = try EngineHarness(log.disk, recovery: .tolerateDamage)
        #expect(again.opened.report.setAside == ["000003.wal.damaged", "000004.wal.damaged"])
        #expect("\(again.opened.report)".contains("; segment 000002.wal is damaged in bytes 0..<\(lost): the file is"))
        #expect("\(again.opened.report)".hasSuffix("; kept aside in 000003.wal.damaged, 000004.wal.damaged"))
        #expect(again.opened.report.cut == nil)
        let kept = log.disk.contents(of: EngineHarness.path("000003.wal.damaged"))

        try again.fill(100, prefix: "n")
        try again.writer.close()
        try log.disk.remove(EngineHarness.path("000002.wal"))
        let third = try EngineHarness(log.disk, recovery: .tolerateDamage)
        #expect(third.opened.report.setAside.contains("000003.wal.damaged-2"))
        #expect(log.disk.contents(of: EngineHarness.path("000003.wal.damaged")) == kept)
    }
}
