import LogModel
import RangeCodec
import Testing

struct DeflateStreamTests {
    private static let text = Array((0..<60_000).map { "line \($0 % 977) of a text\n" }.joined().utf8)

    /// Bytes that do not get smaller, the same in every run.
    private static let noise: [UInt8] = {
        var seed: UInt64 = 0x9E37_79B9_7F4A_7C15
        return (0..<700_000).map { _ in
            seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(truncatingIfNeeded: seed >> 40)
        }
    }()

    @Test(arguments: [1 << 10, 100_003, 1 << 20]) func `pieces make one stream that any zlib reads`(
        pieceByteCount: Int
    ) throws {
        for raw in [Self.text, Self.noise, Array(Self.text.prefix(1))] {
            let stream = DeflateStream()
            var deflated: [UInt8] = []
            for start in stride(from: 0, to: raw.count, by: pieceByteCount) {
                let end = min(start + pieceByteCount, raw.count)
                deflated += stream.append(raw[start..<end].span.bytes, isLast: end == raw.count)
            }
            var inflater = Inflater()
            let isSame = try inflater.inflate(deflated.span.bytes, rawByteCount: raw.count) == raw
            #expect(isSame)
        }
    }
}
