import LogModel
import Testing

@testable import SegmentLog

@Suite struct BackupOutlineTests {
    private static let cluster = ClusterID(high: 1, low: 2)

    private static func outline(
        _ node: UInt32, generation: UInt32 = 1, first: UInt32 = 0, commit: Position = Position(4, 100),
        cluster: ClusterID = Self.cluster
    ) -> BackupOutline {
        BackupOutline(
            cluster: cluster, generation: generation, node: NodeID(node), first: SegmentID(first), commit: commit,
            byteCount: Int(node) * 1_000)
    }

    @Test func `nobody has nothing, and one has what it has`() throws {
        #expect(try BackupOutline.joined([]) == nil)
        let alone = Self.outline(3, first: 2)
        let joined = try #require(try BackupOutline.joined([alone]))
        #expect(joined.outline == alone && joined.asked == [0])
    }

    @Test func `equal nodes are all asked, in the order in which they are named`() throws {
        let joined = try #require(try BackupOutline.joined([2, 3, 1].map { Self.outline($0) }))
        #expect(joined.outline.node == NodeID(2) && joined.asked == [0, 1, 2])
    }

    @Test func `the lowest first segment and the highest commit may be of two nodes`() throws {
        let outlines = [
            Self.outline(1, first: 3, commit: Position(4, 100)), Self.outline(2, first: 1, commit: Position(3, 900)),
            Self.outline(3, first: 2, commit: Position(4, 200)),
        ]
        // Whichever comes first.
        for order in [[0, 1, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0], [0, 2, 1], [1, 0, 2]] {
            let joined = try #require(try BackupOutline.joined(order.map { outlines[$0] }))
            #expect(joined.outline.first == SegmentID(1) && joined.outline.commit == Position(4, 200), "\(order)")
            #expect(joined.outline.node == NodeID(3) && joined.outline.byteCount == 3_000, "\(order)")
            #expect(joined.asked == [0, 1, 2])
        }
    }

    @Test func `an earlier generation counts for nothing, however far it is`() throws {
        let outlines = [
            Self.outline(1, generation: 1, first: 0, commit: Position(9, 900)),
            Self.outline(2, generation: 2, first: 4, commit: Position(5, 100)),
            Self.outline(3, generation: 1, first: 1, commit: Position(8, 100)),
            Self.outline(4, generation: 2, first: 3, commit: Position(4, 100)),
        ]
        let joined = try #require(try BackupOutline.joined(outlines))
        #expect(joined.asked == [1, 3])
        #expect(joined.outline.generation == 2 && joined.outline.node == NodeID(2))
        #expect(joined.outline.first == SegmentID(3) && joined.outline.commit == Position(5, 100))
    }

    @Test func `nodes of two clusters are refused, of whatever generation`() throws {
        let other = ClusterID(high: 7, low: 8)
        for generation in [1, 2, 3] as [UInt32] {
            #expect(throws: BackupError.otherCluster(backup: Self.cluster, source: other)) {
                try BackupOutline.joined([
                    Self.outline(1, generation: 2), Self.outline(2, generation: generation, cluster: other),
                ])
            }
        }
    }
}
