import CRC32C
import SegmentFormat
import Testing

struct CRC32CTests {
    @Test func `the check value is that of RFC 3720`() {
        #expect(CRC32C.checksum(Array("123456789".utf8).span.bytes) == 0xe306_9283)
        #expect(CRC32C.checksum([UInt8](repeating: 0, count: 32).span.bytes) == 0x8a91_36aa)
    }

    @Test func `hardware and tables agree at every length and alignment`() {
        var random = SystemRandomNumberGenerator()
        let bytes = (0..<8_192).map { _ in UInt8.random(in: .min ... .max, using: &random) }
        let lengths = Array(0..<520) + [1_023, 1_024, 1_025, 3_071, 3_072, 3_073, 3_119, 3_120, 6_200, 8_000]
        bytes.withUnsafeBytes { all in
            for length in lengths {
                for offset in [0, 1, 7] {
                    let part = UnsafeRawBufferPointer(rebasing: all[offset..<offset + length])
                    let start = UInt32(truncatingIfNeeded: length &* 0x9e37_79b9)
                    let fast = holdfast_crc32c(start, part.baseAddress, length)
                    #expect(fast == holdfast_crc32c_portable(start, part.baseAddress, length), "\(length) at \(offset)")
                }
            }
        }
    }

    @Test func `a checksum can be continued`() {
        let bytes = (0..<1_000).map { UInt8(truncatingIfNeeded: $0 * 31) }
        let whole = CRC32C.checksum(bytes.span.bytes)
        for cut in [0, 1, 8, 56, 499, 1_000] {
            let start = CRC32C.checksum(bytes.span.bytes.extracting(..<cut))
            #expect(CRC32C.checksum(bytes.span.bytes.extracting(cut...), extending: start) == whole)
        }
    }
}
