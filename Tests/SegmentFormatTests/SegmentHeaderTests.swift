import LogModel
import SegmentFormat
import Testing

struct SegmentHeaderTests {
    private let header = SegmentHeader(
        cluster: Samples.cluster, segment: SegmentID(7), firstIndex: LogIndex(42), previousChecksum: 0xdead_beef,
        previousLength: 4_096)

    @Test func `version 1 bytes never change`() throws {
        let golden = """
            48465347 0100 0000 7766554433221100 ffeeddccbbaa9988 2a00000000000000
            07000000 efbeadde 00100000 00000000000000000000000000000000 f4f47653
            """
        #expect(hex(self.header.encoded()) == packed(golden))
        #expect(try SegmentHeader.decode(self.header.encoded().span.bytes) == self.header)
    }

    @Test func `every truncation is refused`() {
        let bytes = self.header.encoded()
        for count in 0..<SegmentHeader.byteCount {
            #expect(throws: FormatError.truncated(needed: 64, available: count)) {
                try SegmentHeader.decode(bytes.span.bytes.extracting(..<count))
            }
        }
    }

    @Test func `every single-bit flip is refused`() {
        for bit in 0..<SegmentHeader.byteCount * 8 {
            var bytes = self.header.encoded()
            bytes[bit / 8] ^= 1 << (bit % 8)
            #expect(throws: FormatError.self, "bit \(bit)") { try SegmentHeader.decode(bytes.span.bytes) }
        }
    }

    @Test func `four failures are told apart`() {
        var bytes = self.header.encoded()
        bytes[0] = 0
        #expect(throws: FormatError.badMagic(0x4753_4600)) { try SegmentHeader.decode(bytes.span.bytes) }

        bytes = self.header.encoded()
        bytes[4] = 2
        #expect {
            try SegmentHeader.decode(bytes.span.bytes)
        } throws: {
            if case .checksumMismatch? = $0 as? FormatError { true } else { false }
        }

        resealed(&bytes)
        #expect(throws: FormatError.unsupportedVersion(2)) { try SegmentHeader.decode(bytes.span.bytes) }

        let other = ClusterID(high: 1, low: 2)
        #expect(throws: FormatError.foreignCluster(found: Samples.cluster, expected: other)) {
            try SegmentHeader.decode(self.header.encoded().span.bytes, of: other)
        }
    }

    @Test func `reserved bytes are refused unless zero`() {
        for offset in [6, 7] + Array(44..<60) {
            var bytes = self.header.encoded()
            bytes[offset] = 1
            resealed(&bytes)
            #expect(throws: FormatError.reservedNotZero) { try SegmentHeader.decode(bytes.span.bytes) }
        }
    }

    private func resealed(_ bytes: inout [UInt8]) {
        let checksum = CRC32C.checksum(bytes.span.bytes.extracting(..<60))
        for byte in 0..<4 { bytes[60 + byte] = UInt8(truncatingIfNeeded: checksum >> (8 * byte)) }
    }
}
