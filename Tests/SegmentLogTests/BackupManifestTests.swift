import LogModel
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
}
