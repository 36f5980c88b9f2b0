import LogModel
import RaftCore
import SegmentFormat
import Testing

@testable import SegmentLog

@Suite struct BackupManifestTests {
    private let manifest = BackupManifest(
        generation: 1, node: NodeID(2), taken: Timestamp(nanoseconds: 1_796_000_000_000_000_000),
        end: FrameChain(
            cluster: EngineHarness.cluster, tail: Position(4, 4096), previousChecksum: 0x9f3c_5a77,
            nextIndex: LogIndex(4001), term: Term(3), timestamp: Timestamp(nanoseconds: 1_795_999_999_999_999_999)),
        segments: [
            .init(id: SegmentID(3), firstIndex: LogIndex(1), byteCount: 1_048_576, checksum: 0x001b_2c3d),
            .init(id: SegmentID(4), firstIndex: LogIndex(3900), byteCount: 4096, checksum: 0x9f3c_5a77),
        ])

    @Test func `version 1 never changes`() {
        let golden = """
            holdfast backup 1
            cluster 112233445566778899aabbccddeeff00
            generation 1
            node 2
            taken 1796000000000000000
            end 4:4096 term 3 next 4001 time 1795999999999999999
            segment 3 first 1 bytes 1048576 checksum 001b2c3d
            segment 4 first 3900 bytes 4096 checksum 9f3c5a77
            crc32c 456de012

            """
        #expect(String(decoding: self.manifest.encoded(), as: UTF8.self) == golden)
    }

    @Test func `what was written is read, and says how much it is`() throws {
        let read = try #require(BackupManifest(decoding: self.manifest.encoded()))
        #expect(read == self.manifest && read.end == self.manifest.end)
        #expect(read.byteCount == 1_048_576 + 4096 && read.firstIndex == .first)
        #expect(read.cluster == EngineHarness.cluster)
    }

    @Test func `every truncation and every flipped bit is refused`() {
        let bytes = self.manifest.encoded()
        for count in 0..<bytes.count { #expect(BackupManifest(decoding: Array(bytes[..<count])) == nil, "\(count)") }
        for bit in 0..<bytes.count * 8 {
            var damaged = bytes
            damaged[bit / 8] ^= 1 << (bit % 8)
            #expect(BackupManifest(decoding: damaged) == nil, "bit \(bit)")
        }
    }

    @Test func `segments must lead to the end without gaps`() {
        for change in [
            { (manifest: inout BackupManifest) in manifest.segments = [] },
            { $0.segments.removeLast() },
            { $0.segments[0].id = SegmentID(2) },
            { $0.segments[1].byteCount += 1 },
            { $0.segments.swapAt(0, 1) },
        ] {
            var manifest = self.manifest
            change(&manifest)
            #expect(BackupManifest(decoding: manifest.encoded()) == nil)
        }
    }

    @Test func `numbers that no log can have, or that leave none for what comes next, are refused`() {
        for change in [
            { (manifest: inout BackupManifest) in manifest.generation = .max },
            { $0.end.term = Term(.max) },
            { $0.end.nextIndex = LogIndex(0) },
            { $0.end.nextIndex = LogIndex(3899) },
            { $0.segments[0].firstIndex = LogIndex(0) },
            { $0.segments[0].firstIndex = LogIndex(3901) },
            { $0.segments[0].byteCount = 64 },
            { manifest in
                manifest.segments[0].id = SegmentID(.max - 1)
                manifest.segments[1].id = SegmentID(.max)
                manifest.end.tail.segment = SegmentID(.max)
            },
        ] {
            var manifest = self.manifest
            change(&manifest)
            #expect(BackupManifest(decoding: manifest.encoded()) == nil)
        }
    }

    @Test func `as many segments as a backup may have fit into the file, however long their numbers are`() {
        var manifest = self.manifest
        manifest.segments = []
        manifest.end.nextIndex = LogIndex(.max)
        let heading = manifest.encoded().count
        manifest.segments = [
            .init(id: SegmentID(.max), firstIndex: LogIndex(.max), byteCount: .max, checksum: .max)
        ]
        let line = manifest.encoded().count - heading
        #expect(heading + 100 + line * BackupManifest.segmentCountMax <= BackupManifest.byteCountMax)
    }

    /// Each number of the text is once each of these, under a checksum that is right.
    @Test func `nobody who reads a crafted manifest is brought down by it`() throws {
        let log = try AuditLog.closed(records: 40)
        try BackupSource.copy(log.disk)
        let path = BackupSource.backup.appending(BackupManifest.fileName)
        let bytes = try #require(log.disk.contents(of: path))
        let original = try #require(ChecksummedText.lines(of: bytes))
        let numbers = ["0", "1", "63", "64", "65", "4294967294", "4294967295", "18446744073709551615", "0:0", "0:64"]
        var random = SplitMix64(seed: 1)
        for round in 0..<600 {
            var lines = original.map { $0.split(separator: " ").map(String.init) }
            for _ in 0...(round % 3) {
                let line = Int.random(in: 2..<lines.count, using: &random)
                let word = Int.random(in: 1..<lines[line].count, using: &random)
                lines[line][word] = numbers.randomElement(using: &random) ?? ""
            }
            let disk = log.disk.copy()
            disk.replaceContents(of: path, with: ChecksummedText.encode(lines.map { $0.joined(separator: " ") }))
            let manifest = try? BackupDirectory.manifest(in: BackupSource.backup, fileSystem: disk)
            guard manifest != nil else { continue }
            _ = try? BackupSource.audit(disk)
            for bound in [BackupBound.everything, .index(LogIndex(.max)), .index(LogIndex(9)), .time(.zero)] {
                _ = try? BackupRestore.run(
                    BackupSource.backup, into: BackupSource.restored, node: NodeID(1), through: bound,
                    cluster: EngineHarness.cluster, incarnation: Incarnation(1), now: .zero, fileSystem: disk)
            }
            _ = try? BackupSource.copy(disk)
        }
    }
}
