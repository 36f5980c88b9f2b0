import LogModel
import RangeCodec
import WireFormat

/// `u8 size of the pieces | a stream of messages`
enum PeerMessageTarget: FuzzTarget {
    static let name = "peer-messages"

    static var seeds: [[UInt8]] {
        let messages = Self.messages.map { $0.encoded(version: 1) }
        return messages.map { [200] + $0 } + [[7] + messages.flatMap { $0 }]
    }

    static func test(_ input: [UInt8]) {
        guard let size = input.first else { return }
        let stream = input.dropFirst()
        let whole = Self.parse(stream, pieces: max(1, stream.count))
        let pieces = Self.parse(stream, pieces: max(1, Int(size)))
        precondition(whole.messages == pieces.messages && whole.error == pieces.error, "pieces make a difference")
        var rest = stream
        for message in whole.messages {
            let encoded = message.encoded(version: 1)
            precondition(rest.starts(with: encoded), "another form of the same message")
            rest = rest.dropFirst(encoded.count)
        }
    }

    private static func parse(_ stream: Bytes, pieces size: Int) -> (messages: [PeerMessage], error: WireError?) {
        var parser = MessageParser(version: 1, messageByteCountMax: 1 << 16)
        var messages: [PeerMessage] = []
        var rest = stream
        do throws(WireError) {
            while !rest.isEmpty {
                parser.append(rest.prefix(size))
                rest = rest.dropFirst(size)
                while let message = try parser.next() { messages.append(message) }
                precondition(parser.pendingByteCount <= (1 << 16) + 4 + size, "more kept than one message")
            }
            return (messages, nil)
        } catch {
            return (messages, error)
        }
    }

    private static var messages: [PeerMessage] {
        let member = Member(node: NodeID(2), incarnation: Incarnation(0x22))
        let point = LogPoint(term: Term(4), position: Position(3, 1_064))
        let term = Term(5)
        return [
            .voteRequest(VoteRequest(term: term, candidate: member, last: point, isPreVote: true)),
            .voteReply(VoteReply(term: term, voter: member, isGranted: false, isPreVote: true, refusal: .behind)),
            .heartbeat(Heartbeat(term: term, leader: member, commit: point.position, readRound: 9, clock: .zero)),
            .heartbeatReply(
                HeartbeatReply(
                    term: term, follower: member, readRound: 9, clock: .zero, unreadable: point.position)),
            .hello(ReplicateHello(cluster: Samples.cluster, term: term, leader: member)),
            .welcome(
                ReplicateWelcome(
                    term: term, follower: member, refusal: .mismatch(at: point), tail: point,
                    tailChecksum: 0xcafe_babe, first: .zero, committed: point, persisted: point,
                    terms: [TermStart(term: Term(4), firstIndex: LogIndex(17), position: Position(3, 64))])),
            .range(
                RangeMessage(
                    term: term, commit: point.position, from: point.position, previous: point,
                    previousChecksum: 0xcafe_babe, rawByteCount: 4, encoding: .identity, body: Bytes("abcd".utf8))),
            .ack(AckMessage(term: term, received: point, persisted: point)),
            .trimmed(first: Position(2, 0)),
            .transferRequest(TransferRequest(term: term, leader: member)),
            .greeting, .refusal(.otherGeneration(3)),
            .refusal(.repeatedStart(after: StartSighting(member: member, starts: 12, life: Life(0x77)))),
            .identity(
                PeerIdentity(
                    cluster: Samples.cluster, node: NodeID(2), incarnation: Incarnation(0x22), generation: 2,
                    starts: 12,
                    isBlank: false, founders: Samples.members.voters)),
        ]
    }
}

/// `u32 announced length | deflated body`
enum InflateTarget: FuzzTarget {
    static let name = "inflate"
    private static let limit = 1 << 20

    static var seeds: [[UInt8]] {
        var encoder = RangeEncoder()
        let texts = ["hello hello hello hello", String(repeating: "{\"key\":1}\n", count: 500)]
        var seeds: [[UInt8]] = []
        for raw in texts.map({ Bytes($0.utf8) }) {
            let count = (0..<4).map { UInt8(truncatingIfNeeded: raw.count >> (8 * $0)) }
            seeds.append(count + encoder.encode(raw, mode: .deflate).body)
        }
        return seeds
    }

    static func test(_ input: [UInt8]) {
        guard input.count >= 4 else { return }
        let announced = (0..<4).reduce(0) { $0 | Int(input[$1]) << (8 * $1) }
        // The length that the body really has is seldom hit by chance.
        for count in [announced, announced & 0xff] {
            var decoder = RangeDecoder()
            let body = input[4...]
            guard
                let raw = try? decoder.decode(body, encoding: .deflate, rawByteCount: count, limit: Self.limit)
            else { continue }
            precondition(raw.count == count && count <= Self.limit, "\(raw.count) bytes instead of \(count)")
            var encoder = RangeEncoder()
            let (encoding, again) = encoder.encode(raw, mode: .deflate)
            let back = try? decoder.decode(again, encoding: encoding, rawByteCount: count, limit: Self.limit)
            precondition(back == raw, "encoding and decoding again gives something else")
        }
    }
}
