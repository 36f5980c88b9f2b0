import LogModel
import ReplicaCore
import ReplicaTestSupport
import TestSupport
import Testing
import WireFormat

/// A follower whose leader runs a later release, which writes segments that it cannot read.
struct LaterFormatTests {
    /// A range that begins a segment, as a release would ship it that is later than this one.
    private static func raised(_ range: RangeMessage) -> RangeMessage {
        guard range.from.offset == 0, !range.body.isEmpty else { return range }
        var range = range
        range.body = Bytes(LaterFormat.raised(Array(range.body)))
        return range
    }

    @Test func `it says so once, is asked ever more rarely, and goes on once it can read them`() throws {
        let cluster = try ReplicaCluster(count: 3, segmentByteCountMax: 1_024)
        cluster.pass(milliseconds: 2_000)
        let leader = try #require(cluster.leader)
        let follower = (leader + 1) % 3
        let leading = cluster.nodes[leader].member.node
        var begun: [SegmentID] = []
        cluster.nodes[follower].arrival = { range in
            if range.from.offset == 0, !range.body.isEmpty { begun.append(range.from.segment) }
            return Self.raised(range)
        }
        for id in UInt64(1)...40 {
            try cluster.propose("a record of some length, so that segments end soon", id: id, at: leader)
            cluster.pass(milliseconds: 10)
        }
        let before = cluster.nodes[follower].core.chain.tail
        #expect(before.segment < cluster.nodes[leader].core.chain.tail.segment)
        begun = []
        cluster.pass(milliseconds: 10_000)
        // Each stream begins with the segment that it lacks; others may be on their way behind it.
        let attemptCount = begun.count { $0 == before.segment.next }
        let tail = cluster.nodes[follower].core.chain.tail
        #expect(tail == before, "nothing is taken")
        #expect((3...6).contains(attemptCount), "every 3.2 s in the end, and not every 200 ms: \(attemptCount)")
        let version = LaterFormat.version
        let news = cluster.nodes[follower].notes.filter { $0 == .laterFormat(from: leading, version: version) }
        #expect(news.count == 1)
        let isOther = cluster.nodes[follower].notes.contains { if case .refusedRange = $0 { true } else { false } }
        #expect(!isOther, "it is not told of as damage on the way")
        let seen = cluster.nodes[follower].core.laterFormat(of: leading)
        #expect(seen == version)
        // As if its own release could read them now.
        cluster.nodes[follower].arrival = nil
        cluster.pass(milliseconds: 3_500)
        let ends = [leader, follower].map { cluster.nodes[$0].core.chain.tail }
        #expect(ends[0] == ends[1])
        let later = cluster.nodes[follower].core.laterFormat(of: leading)
        #expect(later == nil)
    }

    @Test func `a range that was damaged on its way comes again as soon as before, once others were taken`() throws {
        let cluster = try ReplicaCluster(count: 3)
        cluster.pass(milliseconds: 2_000)
        let leader = try #require(cluster.leader)
        let follower = (leader + 1) % 3
        for id in UInt64(1)...5 {
            var isDamaged = false
            cluster.nodes[follower].arrival = { range in
                guard !range.body.isEmpty, !isDamaged else { return range }
                isDamaged = true
                var range = range
                range.body = Bytes(Array(range.body).map { $0 ^ 0xff })
                return range
            }
            try cluster.propose("record \(id)", id: id, at: leader)
            cluster.pass(milliseconds: 250)
            let ends = [leader, follower].map { cluster.nodes[$0].core.chain.tail }
            #expect(isDamaged && ends[0] == ends[1], "\(id)")
        }
    }
}
