import NIOCore
import Testing

@testable import HoldfastNode

@Suite struct BodyPiecesTests {
    @Test(arguments: [
        [], [1], [100, 100], [65_536, 1], [65_535, 2], [1, 600_000, 5], [16_384, 16_384, 700_000, 262_144],
    ])
    func `a body is what came of it, in the order in which it came`(_ byteCounts: [Int]) {
        var pieces = BodyPieces()
        var expected: [UInt8] = []
        for byteCount in byteCounts {
            let bytes = (0..<byteCount).map { UInt8(truncatingIfNeeded: expected.count + $0 * 7) }
            expected += bytes
            pieces.add(ByteBuffer(bytes: bytes))
            #expect(pieces.byteCount == expected.count)
        }
        #expect(Array(pieces.take().readableBytesView) == expected)
        #expect(pieces.byteCount == 0 && pieces.take().readableBytes == 0)
    }

    @Test func `a little of what was read does not keep all of it`() {
        let read = ByteBuffer(repeating: 0x61, count: 512 << 10)
        var pieces = BodyPieces()
        for offset in [0, 400_000] {
            pieces.add(read.getSlice(at: offset, length: 5_000) ?? ByteBuffer())
        }
        #expect(pieces.take().storageCapacity < 32 << 10)
    }
}
