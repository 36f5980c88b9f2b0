import LogModel
import SegmentFormat
import Simulation
import Testing

@testable import SegmentLog

/// Segments that somebody copied from a peer into the directory of a node that does not run.
@Suite struct `Seeding by hand` {
    private let peer: EngineHarness

    init() throws {
        self.peer = try EngineHarness()
        try self.peer.fill(120)
        try self.peer.writer.sync()
    }

    /// A node that was closed after the first `count` of the peer's values.
    private func node(_ count: Int) throws -> SimulatedFileSystem {
        let log = try EngineHarness()
        try log.fill(count)
        try log.writer.close()
        return log.disk
    }

    private func copy(_ segment: UInt32, to disk: SimulatedFileSystem, as suffix: String = "") throws {
        let file = try self.peer.store.sealedFile(SegmentID(segment), committedThrough: self.peer.tail)
        let path = EngineHarness.path(SegmentID(segment).fileName + suffix)
        disk.replaceContents(of: path, with: Array(try file.read(0..<file.byteCount)))
    }

    @Test func `sealed segments that continue the log are taken up, its own active one among them`() throws {
        let disk = try self.node(5)
        for segment in UInt32(0)...2 { try self.copy(segment, to: disk) }
        let log = try EngineHarness(disk)
        let values = try log.values()
        let whole = try self.peer.values()
        #expect(values.count > 40 && values[...] == whole.prefix(values.count))
        #expect(log.tail.segment == SegmentID(2))
        #expect(log.opened.report.keptUnsynced.frameCount > 30)
        #expect(log.opened.report.setAside.isEmpty && log.opened.mayVote)
        // What comes next follows from there.
        let next = Position(3, 0)
        let range = try self.peer.store.read(from: next, through: self.peer.tail, byteCountMax: 1 << 20)
        try log.writer.append(range.bytes, at: next)
    }

    @Test func `segments behind a gap are set aside and named, and the log is as it was`() throws {
        let disk = try self.node(5)
        for segment in UInt32(2)...3 { try self.copy(segment, to: disk) }
        let log = try EngineHarness(disk)
        #expect(try log.values().count == 5)
        #expect(log.opened.report.setAside == ["000002.wal.damaged", "000003.wal.damaged"])
    }

    @Test func `a segment of another cluster is refused, and nothing is touched`() throws {
        let disk = try self.node(5)
        let foreign = FrameChain.foundingBytes(
            cluster: ClusterID(high: 1, low: 2), checkpoint: EngineHarness.checkpointPayload)
        disk.replaceContents(of: EngineHarness.path("000001.wal"), with: foreign)
        let found = LogError.foreignDirectory(
            .cluster(found: ClusterID(high: 1, low: 2), expected: EngineHarness.cluster))
        #expect(throws: found) { try EngineHarness(disk) }
        #expect(disk.contents(of: EngineHarness.path("000001.wal")) == foreign)
    }

    @Test func `a directory without IDENTITY is not taken for a log, whatever segments are in it`() throws {
        let disk = SimulatedFileSystem()
        try disk.makeDirectory(EngineHarness.directory)
        try self.copy(0, to: disk)
        #expect(throws: LogError.foreignDirectory(.noIdentity)) { try EngineHarness(disk) }
    }

    @Test func `a segment named as the first one begins the log, and those behind it continue it`() throws {
        let disk = try self.node(5)
        try self.copy(2, to: disk, as: ".first")
        try EngineHarness(disk).writer.close()
        try self.copy(3, to: disk)
        let log = try EngineHarness(disk)
        #expect(log.store.segments.map(\.id) == [SegmentID(2), SegmentID(3)])
        let values = try log.values()
        let skipped = Int(log.store.firstIndex.rawValue - 1)
        let whole = try self.peer.values()
        #expect(values[...] == whole.dropFirst(skipped).prefix(values.count))
    }

    @Test func `a damaged one that is named so is refused with its place, and the old log stays`() throws {
        let disk = try self.node(5)
        try self.copy(2, to: disk, as: ".first")
        let path = EngineHarness.path("000002.wal.first")
        disk.flip(bit: 8 * 2_000, of: path)
        #expect { try EngineHarness(disk) } throws: { error in
            guard case LogError.damaged(let damage) = error else { return false }
            return damage.segment == SegmentID(2) && damage.range.contains(2_000)
        }
        disk.replaceContents(of: path, with: nil)
        #expect(try EngineHarness(disk).values().count == 5)
    }
}
