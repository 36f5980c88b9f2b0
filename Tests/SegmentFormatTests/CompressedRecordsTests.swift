import LogModel
import RangeCodec
import SegmentFormat
import Testing

struct CompressedRecordsTests {
    /// Four records of 17 bytes as another zlib deflated them, behind their length of 68.
    private let golden: [UInt8] = [
        68, 0x78, 0x9c, 0x63, 0x60, 0xe2, 0xc9, 0x36, 0x28, 0x4b, 0xcc, 0x29, 0x4d, 0x55, 0x80, 0x90, 0x0c, 0x40, 0x01,
        0x43, 0x74, 0x01, 0x23, 0x74, 0x01, 0x63, 0x64, 0x01, 0x00, 0xac, 0x26, 0x14, 0x93,
    ]
    private let goldenRecords = (0..<4).map {
        Record(key: Bytes("k\($0)".utf8), value: Bytes("value value ".utf8))
    }

    private let lines = (0..<200).map {
        Record(key: Bytes("line\($0)".utf8), value: Bytes("{\"level\":\"info\",\"request\":\($0)}".utf8))
    }

    private func noise(_ count: Int, seed: UInt64 = 1) -> Bytes {
        var state = seed
        return Bytes(
            (0..<count).map { _ in
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return UInt8(truncatingIfNeeded: state >> 56)
            })
    }

    private func read(_ payload: Bytes, count: Int) throws(FormatError) -> [Record] {
        var reader = RecordReader(payload: payload, count: count, flags: .compressed)
        var records: [Record] = []
        while let record = try reader.next() { records.append(record) }
        return records
    }

    private func placed(_ records: [Record], _ compression: RecordCompression) throws -> PlacedFrame {
        var chain = Samples.chain
        let producer = ProducerSequence(producer: 7, sequence: 1)
        return chain.place(
            try .records(records, producer: producer, compression: compression), term: Term(9), node: NodeID(1),
            timestamp: .zero)
    }

    @Test func `version 1 bytes are read for ever`() throws {
        #expect(try self.read(self.golden[...], count: 4) == self.goldenRecords)
        try RecordReader.verify(self.golden.span.bytes, count: 4, flags: .compressed)
    }

    @Test(arguments: 1...9) func `batches come back at every level`(level: Int) throws {
        let frame = try self.placed(self.lines, .deflate(level: level))
        let plain = try self.placed(self.lines, .none)
        #expect(frame.header.flags == [.producer, .compressed])
        #expect(plain.header.flags == [.producer])
        #expect(frame.header.recordCount == 200)
        #expect(frame.bytes.count * 3 < plain.bytes.count)
        #expect(try FrameHeader.decode(frame.bytes.span.bytes) == frame.header)
        #expect(CRC32C.checksum(frame.payload.span.bytes) == frame.header.payloadChecksum)
        var reader = RecordReader(payload: frame.payload, of: frame.header)
        try reader.skip()
        for record in self.lines.dropFirst() { #expect(try reader.next() == record) }
        #expect(try reader.next() == nil)
        try RecordReader.verify(frame.payload.span.bytes, of: frame.header)
    }

    @Test func `every size near a power of two comes back`() throws {
        for bits in 4..<18 {
            for count in [(1 << bits) - 1, 1 << bits, (1 << bits) + 1] {
                let record = Record(value: Bytes(repeating: 7, count: count))
                let frame = try self.placed([record], .deflate(level: 1))
                #expect(frame.header.flags.contains(.compressed) || count < 31)
                var reader = RecordReader(payload: frame.payload, of: frame.header)
                #expect(try reader.next() == record)
            }
        }
    }

    @Test func `what does not get smaller stays plain`() throws {
        for records in [[Record("x")], [Record(value: self.noise(100))], [Record(value: self.noise(100_000))]] {
            let frame = try self.placed(records, .deflate(level: 9))
            #expect(frame.header.flags == [.producer])
            #expect(frame.bytes == (try self.placed(records, .none)).bytes)
        }
        // The sample at the start settles it.
        let mixed = Record(value: self.noise(8 << 10) + Bytes(repeating: 0, count: 100_000))
        #expect(try self.placed([mixed], .deflate(level: 1)).header.flags == [.producer])
    }

    @Test func `every truncation is refused`() {
        for count in self.golden.indices {
            let cut = self.golden[..<count]
            #expect(throws: FormatError.self, "\(count)") { try self.read(cut, count: 4) }
            #expect(throws: FormatError.self) {
                try RecordReader.verify(cut.span.bytes, count: 4, flags: .compressed)
            }
        }
        #expect(throws: FormatError.badRawByteCount) { try self.read([], count: 4) }
        #expect(throws: FormatError.badCompression(.trailingBytes(1))) { try self.read(self.golden + [0], count: 4) }
        #expect(throws: FormatError.trailingBytes(17)) { try self.read(self.golden[...], count: 3) }
        #expect(throws: FormatError.badRecord(offset: 68)) { try self.read(self.golden[...], count: 5) }
    }

    @Test func `no single-bit flip gives other records`() {
        for bit in 0..<self.golden.count * 8 {
            var damaged = self.golden
            damaged[bit / 8] ^= 1 << (bit % 8)
            // Some bits of zlib's header, and those that fill its last byte, say nothing about the data.
            guard let records = try? self.read(damaged[...], count: 4) else { continue }
            #expect(records == self.goldenRecords, "bit \(bit)")
        }
    }

    @Test func `an announcement is judged before anything is allocated`() {
        let most = FormatLimits.frameByteCountMax
        #expect(throws: FormatError.badCompression(.tooLarge(announced: most + 1, max: most))) {
            try self.read(self.announced(UInt64(most) + 1, Array(self.golden.dropFirst())), count: 4)
        }
        #expect(throws: FormatError.badCompression(.tooLarge(announced: .max, max: most))) {
            try self.read(self.announced(.max, Array(self.golden.dropFirst())), count: 4)
        }
        #expect(throws: FormatError.badCompression(.implausible(announced: most, byteCount: 32))) {
            try self.read(self.announced(UInt64(most), Array(self.golden.dropFirst())), count: 4)
        }
        // Not the shortest form of 68.
        #expect(throws: FormatError.badRawByteCount) {
            try self.read([0xc4, 0x00] + self.golden.dropFirst(), count: 4)
        }
    }

    @Test func `a bomb fills no more than it announces`() {
        let most = FormatLimits.frameByteCountMax
        var deflater = Deflater()
        let zeros = [UInt8](repeating: 0, count: most + 1)
        guard let bomb = deflater.deflate(zeros.span.bytes, byteCountMax: 1 << 20) else {
            Issue.record("zeros did not shrink")
            return
        }
        for announced in [0, 1, 1_000, most] {
            #expect(throws: FormatError.badCompression(.wrongLength(announced: announced))) {
                try self.read(self.announced(UInt64(announced), bomb), count: 1)
            }
        }
        #expect(throws: FormatError.badCompression(.wrongLength(announced: 69))) {
            try self.read(self.announced(69, Array(self.golden.dropFirst())), count: 4)
        }
    }

    private func announced(_ count: UInt64, _ stream: [UInt8]) -> Bytes {
        var bytes: [UInt8] = []
        Varint.append(count, to: &bytes)
        return (bytes + stream)[...]
    }
}
