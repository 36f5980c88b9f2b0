import LogModel
import Testing
import WireFormat

struct PeerMessageTests {
    @Test func `version 1 bytes never change`() throws {
        for (message, bytes) in Samples.golden {
            #expect(hex(message.encoded(version: 1)) == packed(bytes))
            #expect(try PeerMessage.decode(message.encoded(version: 1).dropFirst(4), version: 1) == message)
        }
    }

    @Test func `every truncation is refused`() {
        for (message, _) in Samples.golden {
            let bytes = message.encoded(version: 1).dropFirst(4)
            for count in 0..<bytes.count {
                #expect(throws: WireError.self, "\(message) cut to \(count)") {
                    try PeerMessage.decode(bytes.prefix(count), version: 1)
                }
            }
        }
    }

    @Test func `bytes behind a message are refused`() {
        for (message, _) in Samples.golden {
            #expect(throws: WireError.self, "\(message)") {
                try PeerMessage.decode(message.encoded(version: 1)[4...] + [0], version: 1)
            }
        }
    }

    @Test func `whatever a single-bit flip still decodes to has these very bytes`() {
        for (message, _) in Samples.golden {
            let bytes = message.encoded(version: 1)
            for bit in 32..<bytes.count * 8 {
                var changed = bytes
                changed[bit / 8] ^= 1 << (bit % 8)
                guard let decoded = try? PeerMessage.decode(changed[4...], version: 1) else { continue }
                #expect(decoded != message)
                #expect(decoded.encoded(version: 1) == changed, "\(message), bit \(bit)")
            }
        }
    }

    @Test func `every refusal travels`() throws {
        let refusals: [StreamRefusal?] = [
            nil, .staleTerm, .wrongCluster, .wrongNode, .wrongIncarnation, .mismatch(at: Samples.point(7, 8, 9)),
            .damaged, .notReady, .diskFull, .limits,
        ]
        for refusal in refusals {
            let ack = AckMessage(term: Term(1), received: .zero, persisted: .zero, refusal: refusal)
            #expect(try AckMessage.decode(ack.encoded()[...]) == ack)
        }
        for refusal in [nil] + VoteRefusal.allCases.map(Optional.some) {
            let reply = VoteReply(
                term: Term(1), voter: Samples.member, isGranted: refusal == nil, isPreVote: false, refusal: refusal)
            #expect(try VoteReply.decode(reply.encoded()[...]) == reply)
        }
    }

    @Test func `who speaks travels in a header field, and no other text is taken for it`() {
        let start = MemberStart(
            member: Samples.member, generation: 2, starts: 12, lives: [Life(0x77), Life(0x66)], isRetired: true)
        let text =
            "020000002200000000000000" + "02000000" + "0c00000000000000" + "01" + "02"
            + "7700000000000000" + "6600000000000000"
        #expect(start.fieldText == text)
        #expect(MemberStart(fieldText: text) == start)
        for count in 0..<text.count { #expect(MemberStart(fieldText: String(text.prefix(count))) == nil, "\(count)") }
        for other in ["", "zz", text + "00", text.uppercased() + "AA", "+" + text.dropFirst()] {
            #expect(MemberStart(fieldText: other) == nil, "\(other)")
        }
        let none = "020000002200000000000000" + "02000000" + "0c00000000000000" + "01" + "00"
        #expect(MemberStart(fieldText: none) == nil)
    }

    @Test func `a blank node's identity travels`() throws {
        let identity = PeerIdentity(
            cluster: nil, node: NodeID(1), incarnation: Incarnation(.max), generation: 0, starts: 1, isBlank: true,
            founders: [])
        #expect(try PeerIdentity.decode(identity.encoded()[...]) == identity)
    }

    @Test func `hello and welcome state the version that was agreed on, and no other is taken`() throws {
        var stating: [PeerMessage] = []
        for (message, _) in Samples.golden {
            let (first, second) = (message.encoded(version: 1), message.encoded(version: 2))
            #expect(try PeerMessage.decode(second[4...], version: 2) == message)
            guard first != second else {
                // An identity, too, is the same in all versions.
                #expect(try PeerMessage.decode(first[4...], version: 2) == message)
                continue
            }
            stating.append(message)
            #expect(second[..<5] == first[..<5] && second[7...] == first[7...])
            #expect(first[5...6] == [1, 0] && second[5...6] == [2, 0])
            #expect(throws: WireError.otherVersion(stated: 2, agreed: 1)) {
                try PeerMessage.decode(second[4...], version: 1)
            }
            #expect(throws: WireError.otherVersion(stated: 1, agreed: 2)) {
                try PeerMessage.decode(first[4...], version: 2)
            }
        }
        #expect(stating.map { $0.encoded(version: 1)[4] } == [5, 6], "hello and welcome")
    }

    @Test func `an identity of another layout is refused by its number`() {
        let identity = PeerIdentity(
            cluster: nil, node: NodeID(1), incarnation: Incarnation(1), generation: 0, starts: 1, isBlank: true,
            founders: [])
        let bytes: [UInt8] = [2, 0] + identity.encoded().dropFirst(2)
        #expect(throws: WireError.unsupportedVersion(2)) { try PeerIdentity.decode(bytes[...]) }
    }

    @Test func `unknown and malformed messages are refused by name`() {
        #expect(throws: WireError.badValue(.emptyMessage)) { try PeerMessage.decode([], version: 1) }
        #expect(throws: WireError.unknownMessage(type: 200)) { try PeerMessage.decode([200, 1], version: 1) }
        #expect(throws: WireError.badValue(.bool)) {
            var bytes = Samples.golden[0].message.encoded(version: 1)
            bytes[bytes.count - 1] = 2
            _ = try PeerMessage.decode(bytes[4...], version: 1)
        }
        #expect(throws: WireError.badValue(.termStarts)) {
            let starts = [Term(2), Term(1)].map { TermStart(term: $0, firstIndex: .first, position: .zero) }
            let welcome = ReplicateWelcome(
                term: Term(2), follower: Samples.member, tail: .zero, tailChecksum: 0, first: .zero,
                committed: .zero, persisted: .zero, terms: starts)
            _ = try PeerMessage.decode(PeerMessage.welcome(welcome).encoded(version: 1)[4...], version: 1)
        }
    }

    @Test func `a range's lengths must agree`() throws {
        var range = Samples.range
        range.rawByteCount = 5
        #expect(throws: WireError.badValue(.rawByteCount)) { try RangeMessage.decode(range.encoded()[...]) }
        range.encoding = .deflate
        #expect(try RangeMessage.decode(range.encoded()[...]) == range)
        range.rawByteCount = UInt32(WireLimits.rangeByteCountMax) + 1
        #expect(throws: WireError.badValue(.rawByteCount)) { try RangeMessage.decode(range.encoded()[...]) }
        range.rawByteCount = 0
        #expect(throws: WireError.badValue(.rawByteCount)) { try RangeMessage.decode(range.encoded()[...]) }
        range.body = []
        #expect(try RangeMessage.decode(range.encoded()[...]) == range)
    }

    @Test func `a range's head and body are the whole message`() {
        var head: [UInt8] = []
        let body = PeerMessage.range(Samples.range).encodeHead(into: &head, version: 1)
        #expect(head.count == 5 + RangeMessage.headByteCount)
        #expect(body == Samples.range.body)
        #expect(head + body == PeerMessage.range(Samples.range).encoded(version: 1))
    }
}
