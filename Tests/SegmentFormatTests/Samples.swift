import LogModel
import SegmentFormat

enum Samples {
    static let cluster = ClusterID(high: 0x0011_2233_4455_6677, low: 0x8899_aabb_ccdd_eeff)

    static let records = [
        Record("hello"),
        Record(key: Bytes("k1".utf8), value: [], isTombstone: true),
        Record(key: Bytes("k".utf8), value: Bytes("abc".utf8), timeToLiveMilliseconds: 1_000),
    ]

    /// In the middle of a log.
    static let chain = FrameChain(
        cluster: cluster, tail: Position(3, 1_064), previousChecksum: 0xcafe_babe, nextIndex: LogIndex(42),
        term: Term(9), timestamp: Timestamp(nanoseconds: 1_700_000_000_000_000_000))

    /// Segment 0 whole: header, checkpoint, three frames; and the chains before each frame and at the end.
    static func segment() throws -> (bytes: [UInt8], chains: [FrameChain]) {
        var chain = FrameChain(empty: cluster)
        var bytes = chain.startSegment()
        var chains: [FrameChain] = []
        let drafts = [
            FrameDraft.control(.checkpoint, payload: Array("state".utf8)),
            FrameDraft.control(.termStart, payload: []),
            try FrameDraft.records(records, producer: ProducerSequence(producer: 7, sequence: 1)),
            try FrameDraft.records([Record("last")]),
        ]
        for (number, draft) in drafts.enumerated() {
            chains.append(chain)
            let timestamp = Timestamp(nanoseconds: UInt64(number) * 1_000)
            bytes += chain.place(draft, term: Term(number > 0 ? 1 : 0), node: NodeID(1), timestamp: timestamp).bytes
        }
        return (bytes, chains + [chain])
    }
}
