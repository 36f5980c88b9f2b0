import LogModel
import SegmentFormat
import Testing

struct FrameHeaderTests {
    private func frameOfRecords() throws -> PlacedFrame {
        var chain = Samples.chain
        let producer = ProducerSequence(producer: 0x0102_0304_0506_0708, sequence: 5)
        return chain.place(
            try .records(Samples.records, producer: producer), term: Term(9), node: NodeID(3), timestamp: .zero)
    }

    @Test func `version 1 bytes of a frame with a producer never change`() throws {
        let golden = """
            5e000000 9e268303 4ef8a06c bebafeca 01 02 0000 03000000 0900000000000000 2a00000000000000
            00002a36fe9c9717 03000000 00000000 0807060504030201 0500000000000000
            00 00 05 68656c6c6f  01 02 00 6b31  02 01 03 e807 6b 616263
            """
        let frame = try self.frameOfRecords()
        #expect(hex(frame.bytes) == packed(golden))
        #expect(try FrameHeader.decode(frame.bytes.span.bytes) == frame.header)
        #expect(frame.header.headerByteCount == 72)
        #expect(frame.header.payloadByteCount == 22)
        #expect(frame.header.nextIndex == LogIndex(45))
    }

    @Test func `version 1 bytes of a control frame never change`() throws {
        var chain = Samples.chain
        _ = chain.place(
            try .records(
                Samples.records, producer: ProducerSequence(producer: 0x0102_0304_0506_0708, sequence: 5)),
            term: Term(9), node: NodeID(3), timestamp: .zero)
        let frame = chain.place(
            .control(.termStart, payload: []), term: Term(10), node: NodeID(3),
            timestamp: Timestamp(nanoseconds: 1_700_000_000_000_000_001))
        let golden = """
            38000000 965afd55 00000000 9e268303 02 00 0000 03000000 0a00000000000000 2d00000000000000
            01002a36fe9c9717 00000000 00000000
            """
        #expect(hex(frame.bytes) == packed(golden))
        #expect(try FrameHeader.decode(frame.bytes.span.bytes) == frame.header)
    }

    @Test func `version 1 bytes of a frame with an idempotency key never change`() throws {
        var chain = Samples.chain
        let key = IdempotencyKey(high: 0x0102_0304_0506_0708, low: 0x1112_1314_1516_1718)
        let frame = chain.place(
            try .records(Samples.records, label: .key(key)), term: Term(9), node: NodeID(3), timestamp: .zero)
        let golden = """
            5e000000 87a5d745 4ef8a06c bebafeca 01 06 0000 03000000 0900000000000000 2a00000000000000
            00002a36fe9c9717 03000000 00000000 0807060504030201 1817161514131211
            00 00 05 68656c6c6f  01 02 00 6b31  02 01 03 e807 6b 616263
            """
        #expect(hex(frame.bytes) == packed(golden))
        #expect(try FrameHeader.decode(frame.bytes.span.bytes) == frame.header)
        #expect(frame.header.label == .key(key))
    }

    @Test func `version 1 bytes of a run of appends never change`() throws {
        var chain = Samples.chain
        let first = ProducerSequence(producer: 0x0102_0304_0506_0708, sequence: 5)
        let frame = chain.place(
            try .records(Samples.records, label: .run(from: first)), term: Term(9), node: NodeID(3), timestamp: .zero)
        let golden = """
            5e000000 580e76c8 4ef8a06c bebafeca 01 0a 0000 03000000 0900000000000000 2a00000000000000
            00002a36fe9c9717 03000000 00000000 0807060504030201 0500000000000000
            00 00 05 68656c6c6f  01 02 00 6b31  02 01 03 e807 6b 616263
            """
        #expect(hex(frame.bytes) == packed(golden))
        #expect(try FrameHeader.decode(frame.bytes.span.bytes) == frame.header)
        #expect(frame.header.label == .run(from: first))
    }

    @Test func `zeros are the end of the data`() throws {
        #expect(try FrameHeader.decode([UInt8](repeating: 0, count: 56).span.bytes) == nil)
        var bytes = [UInt8](repeating: 0, count: 56)
        for offset in bytes.indices {
            bytes[offset] = 1
            #expect(throws: FormatError.self) { try FrameHeader.decode(bytes.span.bytes) }
            bytes[offset] = 0
        }
    }

    @Test func `every truncation is refused`() throws {
        let bytes = try self.frameOfRecords().bytes
        for count in 0..<FrameHeader.producerByteCount {
            #expect(throws: FormatError.truncated(needed: count < 56 ? 56 : 72, available: count)) {
                try FrameHeader.decode(bytes.span.bytes.extracting(..<count))
            }
        }
    }

    @Test func `every single-bit flip is refused`() throws {
        for bit in 0..<FrameHeader.producerByteCount * 8 {
            var bytes = try self.frameOfRecords().bytes
            bytes[bit / 8] ^= 1 << (bit % 8)
            #expect(throws: FormatError.self, "bit \(bit)") { try FrameHeader.decode(bytes.span.bytes) }
        }
    }

    @Test func `well-sealed nonsense is refused by name`() throws {
        #expect(throws: FormatError.unknownKind(99)) { try self.decode { $0[16] = 99 } }
        #expect(throws: FormatError.unsupportedFlags(14)) { try self.decode { $0[17] = 14 } }
        #expect(throws: FormatError.unsupportedFlags(18)) { try self.decode { $0[17] = 18 } }
        #expect(throws: FormatError.unsupportedFlags(0x82)) { try self.decode { $0[17] = 0x82 } }
        #expect(throws: FormatError.unsupportedFlags(2)) { try self.decode { $0[16] = 2 } }
        #expect(throws: FormatError.reservedNotZero) { try self.decode { $0[19] = 1 } }
        #expect(throws: FormatError.reservedNotZero) { try self.decode { $0[54] = 1 } }
        #expect(throws: FormatError.badLength(71)) { try self.decode { $0[0] = 71 } }
        #expect(throws: FormatError.badLength(0x0200_005e)) { try self.decode { $0[3] = 2 } }
        #expect(throws: FormatError.badRecordCount(0)) { try self.decode { $0[48] = 0 } }
        #expect(throws: FormatError.badRecordCount(3)) {
            try self.decode {
                $0[17] = 10
                for offset in 64..<72 { $0[offset] = 0xff }
            }
        }
        #expect(throws: FormatError.badRecordCount(65_539)) { try self.decode { $0[50] = 1 } }
    }

    /// Changes header bytes and seals them again.
    private func decode(_ change: (inout [UInt8]) -> Void) throws {
        var bytes = try self.frameOfRecords().bytes
        change(&bytes)
        let length = CRC32C.checksum(bytes.span.bytes.extracting(..<4))
        let checksum = CRC32C.checksum(bytes.span.bytes.extracting(8..<72), extending: length)
        for byte in 0..<4 { bytes[4 + byte] = UInt8(truncatingIfNeeded: checksum >> (8 * byte)) }
        _ = try FrameHeader.decode(bytes.span.bytes)
    }
}
