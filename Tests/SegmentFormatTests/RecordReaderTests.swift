import LogModel
import SegmentFormat
import Testing

struct RecordReaderTests {
    private func payload(of records: [Record]) throws -> Bytes {
        var chain = Samples.chain
        return chain.place(try .records(records), term: Term(9), node: NodeID(1), timestamp: .zero).payload
    }

    private func read(_ payload: Bytes, count: Int) throws(FormatError) -> [Record] {
        var reader = RecordReader(payload: payload, count: count, flags: [])
        var records: [Record] = []
        while let record = try reader.next() { records.append(record) }
        return records
    }

    @Test func `records come back as they were`() throws {
        let long = Bytes((0..<70_000).map { UInt8(truncatingIfNeeded: $0) })
        let records =
            Samples.records + [
                Record(key: [], value: []), Record(key: long, value: long, timeToLiveMilliseconds: .max),
                Record(key: Bytes(0..<127), value: Bytes(0..<128), timeToLiveMilliseconds: 0),
            ]
        let payload = try self.payload(of: records)
        #expect(try self.read(payload, count: records.count) == records)
        try RecordReader.verify(payload.span.bytes, count: records.count, flags: [])
    }

    @Test func `keys and values share the payload's storage`() throws {
        let payload = try self.payload(of: Samples.records)
        let first = try #require(try self.read(payload, count: 3).first)
        #expect(first.value.startIndex == payload.startIndex + 3)
        let same = payload.withUnsafeBufferPointer { all in
            first.value.withUnsafeBufferPointer { $0.baseAddress == all.baseAddress.map { $0 + 3 } }
        }
        #expect(same)
    }

    @Test func `every truncation and a wrong count are refused`() throws {
        let payload = try self.payload(of: Samples.records)
        for count in 0..<payload.count {
            let cut = payload.prefix(count)
            #expect(throws: FormatError.self) { try self.read(cut, count: 3) }
            #expect(throws: FormatError.self) { try RecordReader.verify(cut.span.bytes, count: 3, flags: []) }
        }
        #expect(throws: FormatError.trailingBytes(9)) { try self.read(payload, count: 2) }
        #expect(throws: FormatError.trailingBytes(9)) {
            try RecordReader.verify(payload.span.bytes, count: 2, flags: [])
        }
        #expect(throws: FormatError.badRecord(offset: 22)) { try self.read(payload, count: 4) }
    }

    @Test func `no single-bit flip reads beyond the payload`() throws {
        let payload = try self.payload(of: Samples.records)
        for bit in 0..<payload.count * 8 {
            var bytes = Array(payload)
            bytes[bit / 8] ^= 1 << (bit % 8)
            let records = try? self.read(bytes[...], count: 3)
            #expect(records != Samples.records, "bit \(bit)")
        }
    }

    @Test(
        arguments: [
            [0x04, 0, 0],  // a flag of a later version
            [0, 0x80, 0x00, 0],  // not the shortest form
            [0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],  // 2^64 - 1 bytes
            [0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02],  // beyond 64 bits
            [0, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01, 0],  // key and value overflow together
        ] as [[UInt8]])
    func `malformed records are refused`(bytes: [UInt8]) {
        #expect(throws: FormatError.badRecord(offset: 0)) { try self.read(bytes[...], count: 1) }
    }

    @Test func `skipping lands on the next record`() throws {
        var reader = RecordReader(payload: try self.payload(of: Samples.records), count: 3, flags: [])
        try reader.skip()
        #expect(try reader.next() == Samples.records[1])
        #expect(reader.remaining == 1)
    }

    @Test func `varints of every width come back`() {
        for shift in 0..<64 {
            for value in [UInt64(1) << shift, (UInt64(1) << shift) - 1, UInt64.max >> shift] {
                var bytes: [UInt8] = []
                var rest = value
                repeat {
                    bytes.append(UInt8(rest & 0x7f) | (rest > 0x7f ? 0x80 : 0))
                    rest >>= 7
                } while rest > 0
                #expect(Varint.byteCount(value) == bytes.count, "\(value)")
                let decoded = Varint.decode(bytes.span.bytes, at: 0)
                #expect(decoded?.value == value)
                #expect(decoded?.end == bytes.count)
            }
        }
    }
}
