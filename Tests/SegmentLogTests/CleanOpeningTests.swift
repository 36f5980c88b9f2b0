import DiskIO
import LogModel
import LogState
import SegmentFormat
import Simulation
import SystemPackage
import Testing

@testable import SegmentLog

@Suite struct `Opening after a clean stop` {
    /// A log of its own, closed as ``SegmentLog`` closes it.
    private static func closed(_ count: Int, in disk: SimulatedFileSystem = SimulatedFileSystem()) throws
        -> EngineHarness
    {
        let log = try EngineHarness(disk, mode: .standalone)
        try log.fill(count)
        try log.writer.close(state: try LogCore.state(of: log.writer))
        return log
    }

    @Test(arguments: [0, 1, 2, 20, 100])
    func `tail and state are taken up without reading the segment`(_ count: Int) throws {
        let log = try Self.closed(count)
        let reads = log.disk.counts.reads
        let again = try EngineHarness(log.disk, mode: .standalone)
        #expect(again.opened.report.wasClosedCleanly)
        #expect(again.opened.report.scannedFrameCount <= 2)
        #expect(again.writer.chain == log.writer.chain)
        #expect(again.opened.state == (try LogCore.state(of: again.writer)))
        #expect(try again.values() == (0..<count).map { EngineHarness.value($0) })
        #expect(again.opened.report.segmentCount == again.store.segments.count)
        #expect(log.disk.counts.reads - reads < 40 + 6 * again.store.segments.count)
    }

    @Test func `what is appended after it is there, and a second clean stop too`() throws {
        let log = try Self.closed(10)
        let again = try EngineHarness(log.disk, mode: .standalone)
        try again.append("more")
        try again.writer.close(state: try LogCore.state(of: again.writer))
        let third = try EngineHarness(log.disk, mode: .standalone)
        #expect(third.opened.report.scannedFrameCount <= 2)
        try third.writer.close(state: third.opened.state)
        let fourth = try EngineHarness(log.disk, mode: .standalone)
        #expect(fourth.opened.report.scannedFrameCount <= 2)
        #expect(try fourth.values().last == "more")
        log.disk.cutPower(.losesAll)
        #expect(try EngineHarness(log.disk, mode: .standalone).values().count == 11)
    }

    @Test func `a frame that changed the state behind the checkpoint makes it a scan`() throws {
        let log = try EngineHarness(mode: .standalone)
        try log.append("a")
        var chain = log.writer.chain
        let draft = try FrameDraft.records([Record("p")], producer: ProducerSequence(producer: 7, sequence: 1))
        let frame = chain.place(draft, term: Term(1), node: NodeID(1), timestamp: .zero)
        try log.writer.append(frame.bytes[...], at: frame.position)
        try log.append("b")
        let state = try LogCore.state(of: log.writer)
        try log.writer.close(state: state)
        let again = try EngineHarness(log.disk, mode: .standalone)
        #expect(again.opened.report.scannedFrameCount == 4)
        #expect(again.opened.state == state)
        #expect(state.producerCount == 1)
    }

    @Test func `without the closer's state, or in a cluster, the last segment is scanned`() throws {
        let log = try EngineHarness(mode: .standalone)
        try log.fill(10)
        try log.writer.close()
        let again = try EngineHarness(log.disk, mode: .standalone)
        #expect(again.opened.report.scannedFrameCount == 11)
        #expect(again.opened.state == (try LogCore.state(of: again.writer)))

        let node = try EngineHarness()
        try node.fill(10)
        try node.writer.close(state: try LogCore.state(of: node.writer))
        let next = try EngineHarness(node.disk)
        #expect(next.opened.report.scannedFrameCount == 11)
        #expect(next.opened.state == nil)
    }

    @Test func `a file that is not as DURABLE says is scanned, and judged by that`() throws {
        let path = EngineHarness.path("000000.wal")
        let longer = try Self.closed(10)
        try longer.disk.open(path, .write).allocate(byteCount: 4096)
        let again = try EngineHarness(longer.disk, mode: .standalone)
        #expect(again.opened.report.scannedFrameCount == 11)
        #expect(try again.values().count == 10)

        let shorter = try Self.closed(10)
        try shorter.disk.open(path, .write).truncate(to: Int(shorter.tail.offset) - 1)
        #expect(throws: LogError.self) { try EngineHarness(shorter.disk, mode: .standalone) }

        let last = try Self.closed(10)
        let start = Int(last.writer.chain.lastFrameOffset)
        for bit in stride(from: start * 8, to: (start + FrameHeader.byteCount) * 8, by: 7) {
            last.disk.flip(bit: bit, of: path)
            let error = #expect(throws: LogError.self) { try EngineHarness(last.disk, mode: .standalone) }
            guard case .damaged(let damage) = error, damage.range.lowerBound == start else {
                Issue.record("bit \(bit): \(String(describing: error))")
                return
            }
            last.disk.flip(bit: bit, of: path)
        }
        #expect(try EngineHarness(last.disk, mode: .standalone).values().count == 10)
    }

    @Test func `damage that was not looked at is found by the reader, never returned`() throws {
        let log = try Self.closed(10)
        log.disk.flip(bit: 8 * 1000, of: EngineHarness.path("000000.wal"))
        let again = try EngineHarness(log.disk, mode: .standalone)
        #expect(throws: LogError.self) { try again.values() }
    }

    @Test func `after a crash the scan hands over the state at the tail, across segments and terms`() throws {
        var log = try EngineHarness(mode: .standalone)
        try log.fill(50)
        try log.writer.sync()
        log.term = Term(3)
        try log.append("t3")
        log.disk.killProcess()
        let again = try EngineHarness(log.disk, mode: .standalone)
        #expect(again.opened.state == (try LogCore.state(of: again.writer)))
        #expect(again.opened.state?.terms.starts.last?.term == Term(3))
    }

    @Test func `a frame larger than the window is checked without holding all of it`() throws {
        let size = 3 * EngineLimits.scanWindowByteCount
        let log = try EngineHarness(mode: .standalone, segmentByteCountMax: 16 << 20)
        for number in 0..<3 { try log.append(String(repeating: "\(number)", count: size)) }
        let start = Int(try #require(try log.store.position(of: LogIndex(2))).offset)
        log.disk.killProcess()
        let again = try EngineHarness(log.disk, mode: .standalone, segmentByteCountMax: 16 << 20)
        #expect(again.writer.chain == log.writer.chain)
        #expect(again.opened.report.scannedFrameCount == 4)
        #expect(again.opened.state == (try LogCore.state(of: again.writer)))
        log.disk.killProcess()
        log.disk.flip(bit: 8 * (start + size), of: EngineHarness.path("000000.wal"))
        let error = #expect(throws: LogError.self) {
            try EngineHarness(log.disk, mode: .standalone, segmentByteCountMax: 16 << 20)
        }
        guard case .damaged(let damage) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(damage.range.lowerBound == start)
    }

    @Test func `the page says how the log ended, and forgets it with the next store`() throws {
        let end = DurableRecord.CleanEnd(lastFrameOffset: 1000, lastFrameChecksum: 0xabcd, stateChecksum: 0x1234)
        var record = DurableRecord(
            durable: LogPoint(term: Term(7), position: Position(3, 4096)), commit: Position(2, 1024),
            first: SegmentID(1), isClean: true, end: end)
        #expect(DurableRecord(record.slot(sequence: 9)) == record)
        #expect(DurableRecord(file: record.fileBytes) == record)
        let golden = """
            48464455 0100 0300 0900000000000000 0700000000000000 03000000 00100000 02000000 00040000 01000000
            e8030000 cdab0000 34120000 00000000 e337449f
            """.filter { !$0.isWhitespace }
        #expect(hex(record.slot(sequence: 9).encoded(magic: DurableFile.magic)) == golden)
        record.isClean = false
        #expect(DurableRecord(record.slot(sequence: 9)).end == nil)
        #expect(DurableRecord(file: []) == nil)
    }

    @Test func `the slots of VOTE can be read from its bytes`() throws {
        let slots = VoteSlot.slots(file: VoteFile.blank())
        #expect(slots == [slots[0], slots[0]])
        #expect(slots[0] == VoteSlot(term: .zero, member: nil, bar: .none, sequence: 1))
        #expect(VoteSlot.slots(file: [1, 2]) == [nil, nil])
    }
}
