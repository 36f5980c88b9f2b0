import DiskIO
import LogModel
import SegmentFormat
import Simulation
import SystemPackage
import Testing

@testable import SegmentLog

/// Bugs that a reading of the code found, each as it was found.
@Suite struct `Bugs that were read` {
    @Test func `frames behind the mapping stay when a later one is refused`() throws {
        // A node that was given a smaller segment size than its leader stores frames behind what it mapped.
        let disk = SimulatedFileSystem()
        let log = try EngineHarness(disk, segmentByteCountMax: 4096)
        var leader = try EngineHarness(SimulatedFileSystem(), segmentByteCountMax: 16_384)
        leader.term = log.term
        var stored = 0
        while leader.tail.offset < 9000 {
            let (bytes, position) = leader.nextFrame([EngineHarness.value(stored)])
            try leader.writer.append(bytes[...], at: position)
            try log.writer.append(bytes[...], at: position)
            stored += 1
        }
        try log.writer.sync()
        let (bytes, position) = leader.nextFrame(["refused"])
        disk.inject(.refuse(.noSpace), atNext: .write)
        #expect(throws: LogError.noSpace) { try log.writer.append(bytes[...], at: position) }
        #expect(try log.values() == leader.values())
        try log.writer.append(bytes[...], at: position)
        #expect(try log.values().count == stored + 1)
    }

    @Test func `what the first sync of an opening did not carry is written again by the next one`() throws {
        let disk = SimulatedFileSystem()
        do {
            let log = try EngineHarness(disk)
            try log.append("synced")
            try log.writer.sync()
            try log.append("written")
            let (bytes, position) = log.nextFrame(["torn"])
            try log.writer.append(bytes[...], at: position)
        }
        disk.killProcess()
        let path = EngineHarness.path(SegmentID.first.fileName)
        let bytes = try #require(disk.contents(of: path))
        let last = try #require(bytes.lastIndex { $0 != 0 })
        disk.flip(bit: last * 8, of: path)
        disk.inject(.refuse(.ioError), atNext: .sync)
        #expect(throws: LogError.self) { try EngineHarness(disk) }
        disk.killProcess()
        let values = try EngineHarness(disk).values()
        #expect(values == ["synced", "written"])
        disk.cutPower(.losesAll)
        #expect(try EngineHarness(disk).values() == values)
    }

    @Test func `a damaged record does not hide the good frames behind it from readers`() throws {
        let log = try EngineHarness()
        try log.fill(60)
        try log.writer.sync()
        // Behind the header of a frame: a flip in the header itself hides what comes next.
        let frame = try #require(try log.store.position(of: LogIndex(10)))
        let flipped = Int(frame.offset) + FrameHeader.byteCount + 2
        log.disk.flip(bit: 8 * flipped, of: EngineHarness.path(frame.segment.fileName))
        let tail = log.tail
        var position = log.store.first
        do throws(LogError) {
            while position < tail {
                position = try log.store.read(from: position, through: tail, byteCountMax: 512).end
            }
        } catch {
            guard case .damaged(let damage) = error else { throw error }
            let behind = Position(damage.segment.rawValue, UInt32(damage.range.upperBound))
            #expect(damage.range.contains(flipped) && damage.range.count < 300)
            #expect(try !log.store.read(from: behind, through: tail, byteCountMax: 512).bytes.isEmpty)
        }
        #expect(log.store.damage.count == 1)
    }

    @Test(.timeLimit(.minutes(1))) func `syncs and appends beside truncations all end`() async throws {
        let (log, _) = try await SegmentLog.open(EngineHarness.configuration(), fileSystem: SimulatedFileSystem())
        let start = try await log.append(Record("kept")).end
        await withTaskGroup(of: Void.self) { group in
            for writer in 0..<4 {
                group.addTask {
                    for number in 0..<200 {
                        // A truncation may take it away while it waits; that is an answer, too.
                        _ = try? await log.append(Record("\(writer) \(number)"))
                        try? await log.sync()
                    }
                }
            }
            group.addTask { for _ in 0..<100 { try? await log.truncate(from: start) } }
        }
        try await log.append(Record("after"))
        try await log.sync()
        #expect(log.durable == log.tail)
        try await log.close()
    }
}
