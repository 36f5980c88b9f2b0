import NIOCore
import Testing

@testable import HTTP2Transport

@Suite struct BodyPiecesTests {
    @Test(arguments: [
        [], [1], [100, 0, 100], [65_536, 1], [65_535, 2], [1, 600_000, 5], [16_384, 16_384, 700_000, 262_144],
        [200_000, 1],
    ])
    func `a body is what came of it, in the order in which it came`(_ byteCounts: [Int]) {
        for pieceByteCount in [64 << 10, 256 << 10] {
            var pieces = BodyPieces(pieceByteCount: pieceByteCount)
            var expected: [UInt8] = []
            for byteCount in byteCounts {
                let bytes = (0..<byteCount).map { UInt8(truncatingIfNeeded: expected.count + $0 * 7) }
                expected += bytes
                pieces.add(ByteBuffer(bytes: bytes))
                #expect(pieces.byteCount == expected.count)
            }
            var inPieces = pieces
            #expect(inPieces.take().flatMap { Array($0.readableBytesView) } == expected)
            #expect(Array(pieces.takeWhole().readableBytesView) == expected)
            for var taken in [inPieces, pieces] {
                #expect(taken.byteCount == 0 && taken.take().isEmpty && taken.takeWhole().readableBytes == 0)
            }
        }
    }

    @Test func `pieces are full before the next one begins, however little comes at a time`() {
        var pieces = BodyPieces(pieceByteCount: 100_000)
        for _ in 0..<50 { pieces.add(ByteBuffer(repeating: 0x61, count: 6_000)) }
        let taken = pieces.take()
        #expect(taken.map(\.readableBytes) == [65_536, 100_000, 100_000, 34_464])
        #expect(taken.dropFirst().allSatisfy { $0.storageCapacity < 200_000 }, "none of them grew")
    }

    @Test func `a little of what was read does not keep all of it`() {
        let read = ByteBuffer(repeating: 0x61, count: 512 << 10)
        var pieces = BodyPieces()
        for offset in [0, 400_000] {
            pieces.add(read.getSlice(at: offset, length: 5_000) ?? ByteBuffer())
        }
        #expect(pieces.takeWhole().storageCapacity < 32 << 10)
    }
}
