import LogModel
import RangeCodec
import Testing

struct RangeCodecTests {
    private let lines = Bytes(
        (0..<2_000).map { "{\"level\":\"info\",\"request\":\($0),\"path\":\"/v1/records\"}\n" }.joined().utf8)

    private func noise(_ count: Int) -> Bytes {
        var state: UInt64 = 1
        return Bytes(
            (0..<count).map { _ in
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return UInt8(truncatingIfNeeded: state >> 56)
            })
    }

    private func decode(
        _ body: Bytes, _ encoding: BodyEncoding, _ count: Int, limit: Int = 1 << 20
    ) throws(RangeError) -> Bytes {
        var decoder = RangeDecoder()
        return try decoder.decode(body, encoding: encoding, rawByteCount: count, limit: limit)
    }

    @Test func `what another zlib wrote is read`() throws {
        // "holdfast " twenty times, by Python's zlib at level 1.
        let golden: Bytes = [
            0x78, 0x01, 0xcb, 0xc8, 0xcf, 0x49, 0x49, 0x4b, 0x2c, 0x2e, 0x51, 0xc8, 0x18, 0x3a, 0x0c, 0x00, 0x87, 0xce,
            0x45, 0x25,
        ]
        let raw = try self.decode(golden, .deflate, 180)
        #expect(Array(raw) == Array(String(repeating: "holdfast ", count: 20).utf8))
    }

    @Test func `ranges come back in every mode, again and again`() throws {
        var encoder = RangeEncoder()
        var decoder = RangeDecoder()
        let ranges: [Bytes] = [self.lines, self.noise(100_000), [], [1], self.lines.dropFirst(77_777)]
        for raw in ranges {
            for mode in RangeEncodingMode.allCases {
                let range = encoder.encode(raw, mode: mode)
                #expect(range.body.count <= raw.count)
                let back = try decoder.decode(
                    range.body, encoding: range.encoding, rawByteCount: raw.count, limit: raw.count)
                #expect(back == raw)
            }
        }
    }

    @Test func `auto deflates what pays and leaves the rest`() {
        var encoder = RangeEncoder()
        let lines = encoder.encode(self.lines, mode: .auto)
        #expect(lines.encoding == .deflate)
        #expect(lines.body.count * 100 < self.lines.count * 30)
        #expect(encoder.encode(self.noise(100_000), mode: .auto).encoding == .identity)
        #expect(encoder.encode(self.lines.prefix(4_095), mode: .auto).encoding == .identity)
        #expect(encoder.encode(self.lines.prefix(4_096), mode: .auto).encoding == .deflate)
        #expect(encoder.encode(self.noise(5_000), mode: .deflate).encoding == .identity)
        // The sample is taken from the middle: noise there settles it.
        let mixed = self.lines.prefix(40_000) + self.noise(8_192) + self.lines.prefix(40_000)
        #expect(encoder.encode(mixed, mode: .auto).encoding == .identity)
    }

    @Test func `every truncation is refused`() {
        var encoder = RangeEncoder()
        let raw = self.lines.prefix(3_000)
        let body = encoder.encode(raw, mode: .deflate).body
        for count in 0..<body.count {
            #expect(throws: RangeError.self, "\(count)") { try self.decode(body.prefix(count), .deflate, 3_000) }
        }
    }

    @Test func `no single-bit flip gives other bytes`() {
        var encoder = RangeEncoder()
        let raw = self.lines.prefix(600)
        let body = Array(encoder.encode(raw, mode: .deflate).body)
        for bit in 0..<body.count * 8 {
            var damaged = body
            damaged[bit / 8] ^= 1 << (bit % 8)
            // Some bits of the zlib header say nothing about the data.
            guard let decoded = try? self.decode(damaged[...], .deflate, raw.count) else { continue }
            #expect(decoded == raw, "bit \(bit)")
        }
    }

    @Test func `a wrong announced length is refused`() {
        var encoder = RangeEncoder()
        let raw = self.lines.prefix(3_000)
        let body = encoder.encode(raw, mode: .deflate).body
        #expect(throws: RangeError.wrongLength(announced: 2_999)) { try self.decode(body, .deflate, 2_999) }
        #expect(throws: RangeError.wrongLength(announced: 3_001)) { try self.decode(body, .deflate, 3_001) }
        #expect(throws: RangeError.wrongLength(announced: 0)) { try self.decode(body, .deflate, 0) }
        #expect(throws: RangeError.trailingBytes(2)) { try self.decode(body + [0, 0], .deflate, 3_000) }
        #expect(throws: RangeError.wrongLength(announced: 4)) { try self.decode([1, 2, 3], .identity, 4) }
        #expect(throws: RangeError.self) { try self.decode([], .deflate, 0) }
    }

    @Test func `a bomb is bounded before anything is allocated`() {
        var encoder = RangeEncoder()
        let bomb = encoder.encode(Bytes(repeating: 0, count: 16 << 20), mode: .deflate).body
        #expect(bomb.count < 80_000)
        #expect(throws: RangeError.tooLarge(announced: 16 << 20, max: 1 << 20)) {
            try self.decode(bomb, .deflate, 16 << 20)
        }
        #expect(throws: RangeError.wrongLength(announced: 1_000)) { try self.decode(bomb, .deflate, 1_000) }
        #expect(throws: RangeError.implausible(announced: 1 << 20, byteCount: 100)) {
            try self.decode(bomb.prefix(100), .deflate, 1 << 20)
        }
        #expect(throws: RangeError.implausible(announced: -1, byteCount: 100)) {
            try self.decode(bomb.prefix(100), .deflate, -1)
        }
    }

    @Test func `a decoder goes on after a refusal`() throws {
        var encoder = RangeEncoder()
        var decoder = RangeDecoder()
        let body = encoder.encode(self.lines, mode: .deflate).body
        for _ in 0..<3 {
            do throws(RangeError) {
                _ = try decoder.decode(body.dropFirst(), encoding: .deflate, rawByteCount: 100, limit: 100)
                Issue.record("damage was accepted")
            } catch {
                guard case .corrupt = error else {
                    Issue.record("\(error)")
                    continue
                }
            }
            let raw = try decoder.decode(
                body, encoding: .deflate, rawByteCount: self.lines.count, limit: self.lines.count)
            #expect(raw == self.lines)
        }
    }

    @Test func `identity shares storage`() throws {
        var encoder = RangeEncoder()
        let raw = self.noise(10_000)
        let range = encoder.encode(raw, mode: .auto)
        let decoded = try self.decode(range.body, range.encoding, raw.count)
        let same = raw.withUnsafeBufferPointer { original in
            decoded.withUnsafeBufferPointer { $0.baseAddress == original.baseAddress }
        }
        #expect(same)
    }
}
