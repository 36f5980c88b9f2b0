import LogModel
import Testing
import WireFormat

struct MessageParserTests {
    private let stream = Samples.golden.flatMap { $0.message.encoded(version: 1) }

    private func drain(_ parser: inout MessageParser) throws(WireError) -> [PeerMessage] {
        var messages: [PeerMessage] = []
        while let message = try parser.next() { messages.append(message) }
        return messages
    }

    @Test func `any two pieces give the same messages`() throws {
        for cut in 0...self.stream.count {
            var parser = MessageParser(version: 1)
            parser.append(self.stream[..<cut])
            var messages = try self.drain(&parser)
            parser.append(self.stream[cut...])
            messages += try self.drain(&parser)
            #expect(messages == Samples.golden.map(\.message), "cut at \(cut)")
            #expect(parser.pendingByteCount == 0)
        }
    }

    @Test func `single bytes give the same messages`() throws {
        var parser = MessageParser(version: 1)
        var messages: [PeerMessage] = []
        for byte in self.stream {
            parser.append([byte])
            messages += try self.drain(&parser)
        }
        #expect(messages == Samples.golden.map(\.message))
    }

    @Test func `a range in one piece shares its storage`() throws {
        let bytes = PeerMessage.range(Samples.range).encoded(version: 1)
        var parser = MessageParser(version: 1)
        parser.append(bytes[...])
        guard case .range(let range)? = try parser.next() else {
            Issue.record("no range")
            return
        }
        #expect(range.body.startIndex == bytes.count - 4)
        let same = bytes.withUnsafeBufferPointer { all in
            range.body.withUnsafeBufferPointer { $0.baseAddress == all.baseAddress.map { $0 + bytes.count - 4 } }
        }
        #expect(same)
    }

    @Test func `a large range in many pieces is put together`() throws {
        var large = Samples.range
        large.body = Bytes((0..<300_000).map { UInt8(truncatingIfNeeded: $0 >> 3) })
        large.rawByteCount = 300_000
        let bytes = PeerMessage.range(large).encoded(version: 1) + PeerMessage.trimmed(first: .zero).encoded(version: 1)
        var parser = MessageParser(version: 1)
        var messages: [PeerMessage] = []
        for start in stride(from: 0, to: bytes.count, by: 16_384) {
            parser.append(bytes[start..<min(bytes.count, start + 16_384)])
            messages += try self.drain(&parser)
        }
        #expect(messages == [.range(large), .trimmed(first: .zero)])
    }

    @Test func `too large and empty messages are refused at their length`() {
        var parser = MessageParser(version: 1, messageByteCountMax: 100)
        parser.append([101, 0, 0, 0])
        #expect(throws: WireError.messageTooLarge(byteCount: 101, max: 100)) { try parser.next() }

        parser = MessageParser(version: 1)
        parser.append([0xff, 0xff, 0xff, 0xff])
        #expect(throws: WireError.messageTooLarge(byteCount: 0xffff_ffff, max: WireLimits.messageByteCountMax)) {
            try parser.next()
        }

        parser = MessageParser(version: 1)
        parser.append([0, 0, 0, 0])
        #expect(throws: WireError.badValue(.emptyMessage)) { try parser.next() }
    }

    @Test func `a cut stream shows`() throws {
        var parser = MessageParser(version: 1)
        parser.append(self.stream.dropLast())
        _ = try self.drain(&parser)
        #expect(parser.pendingByteCount > 0)
    }
}
