import LogModel
import WireFormat

enum Samples {
    static let cluster = ClusterID(high: 0x0011_2233_4455_6677, low: 0x8899_aabb_ccdd_eeff)
    static let member = Member(node: NodeID(2), incarnation: Incarnation(0x22))
    static let clock = Timestamp(nanoseconds: 1_700_000_000_000_000_000)

    static func point(_ term: UInt64, _ segment: UInt32, _ offset: UInt32) -> LogPoint {
        LogPoint(term: Term(term), position: Position(segment, offset))
    }

    static let range = RangeMessage(
        term: Term(5), commit: Position(3, 800), from: Position(3, 1_064), previous: point(4, 3, 1_064),
        previousChecksum: 0xcafe_babe, rawByteCount: 4, encoding: .identity, body: Bytes("abcd".utf8))

    /// One of each, and the bytes that version 1 gives it.
    static let golden: [(message: PeerMessage, bytes: String)] = [
        (
            .voteRequest(VoteRequest(term: Term(5), candidate: member, last: point(4, 3, 1_064), isPreVote: true)),
            "27000000 01 0500000000000000 020000002200000000000000 04000000000000000300000028040000 01 00"
        ),
        (
            .voteReply(
                VoteReply(term: Term(5), voter: member, isGranted: false, isPreVote: true, refusal: .behind)),
            "18000000 02 0500000000000000 020000002200000000000000 00 01 03"
        ),
        (
            .heartbeat(
                Heartbeat(term: Term(5), leader: member, commit: Position(3, 1_064), readRound: 9, clock: clock)),
            "2d000000 03 0500000000000000 020000002200000000000000 0300000028040000 0900000000000000 00002a36fe9c9717"
        ),
        (
            .heartbeatReply(
                HeartbeatReply(
                    term: Term(5), follower: member, readRound: 9, clock: clock, unreadable: Position(3, 0x1234))),
            "2d000000 04 0500000000000000 020000002200000000000000 0900000000000000 00002a36fe9c9717 0300000034120000"
        ),
        (
            .hello(ReplicateHello(cluster: cluster, term: Term(5), leader: member)),
            "27000000 05 0100 7766554433221100ffeeddccbbaa9988 0500000000000000 020000002200000000000000"
        ),
        (
            .welcome(
                ReplicateWelcome(
                    term: Term(5), follower: member, refusal: .mismatch(at: point(4, 3, 900)),
                    tail: point(4, 3, 1_064), tailChecksum: 0xcafe_babe, first: .zero, committed: point(4, 3, 800),
                    persisted: point(4, 3, 1_000),
                    terms: [TermStart(term: Term(4), firstIndex: LogIndex(17), position: Position(3, 64))])),
            """
            7d000000 06 0100 0500000000000000 020000002200000000000000
            05 04000000000000000300000084030000 04000000000000000300000028040000 bebafeca 0000000000000000
            04000000000000000300000020030000 040000000000000003000000e8030000
            01 0400000000000000 1100000000000000 0300000040000000
            """
        ),
        (
            .range(range),
            """
            36000000 07 0500000000000000 0300000020030000 0300000028040000 04000000000000000300000028040000
            bebafeca 04000000 00 61626364
            """
        ),
        (
            .ack(AckMessage(term: Term(5), received: point(5, 3, 1_068), persisted: point(4, 3, 1_064))),
            "2a000000 08 0500000000000000 0500000000000000030000002c040000 04000000000000000300000028040000 00"
        ),
        (.trimmed(first: Position(2, 0)), "09000000 09 0200000000000000"),
        (
            .transferRequest(TransferRequest(term: Term(5), leader: member)),
            "15000000 0b 0500000000000000 020000002200000000000000"
        ),
        (
            .readIndexRequest(ReadIndexRequest(term: Term(5), follower: member, number: 7)),
            "1d000000 0c 0500000000000000 020000002200000000000000 0700000000000000"
        ),
        (
            .readIndexReply(ReadIndexReply(term: Term(5), leader: member, number: 7, commit: Position(3, 64))),
            "25000000 0d 0500000000000000 020000002200000000000000 0700000000000000 0300000040000000"
        ),
        (.greeting, "01000000 0e"),
        (
            .refusal(.repeatedStart(after: StartSighting(member: member, starts: 12, life: Life(0x77)))),
            "1e000000 0f 01 020000002200000000000000 0c00000000000000 7700000000000000"
        ),
        (.refusal(.otherGeneration(3)), "06000000 0f 02 03000000"),
        (
            .identity(
                PeerIdentity(
                    cluster: cluster, node: NodeID(2), incarnation: Incarnation(0x22), generation: 2, starts: 12,
                    isBlank: false, founders: [member], members: [member])),
            """
            48000000 0a 0100 01 7766554433221100ffeeddccbbaa9988 020000002200000000000000 02000000
            0c00000000000000 00 00 01 020000002200000000000000 01 020000002200000000000000
            """
        ),
    ]
}
