import LogModel
import Testing

@testable import ReplicaCore

@Suite struct SegmentTableTests {
    @Test func `how much lies between two positions counts whole segments by their length`() {
        var table = SegmentTable()
        table.began(at: LogIndex(5), behind: Position(0, 1_000))
        table.began(at: LogIndex(9), behind: Position(1, 2_000))
        #expect(table.byteCount(from: Position(0, 100), to: Position(0, 400)) == 300)
        #expect(table.byteCount(from: Position(0, 100), to: Position(2, 50)) == 900 + 2_000 + 50)
        #expect(table.byteCount(from: Position(1, 2_000), to: Position(2, 50)) == 50)
        #expect(table.byteCount(from: Position(2, 50), to: Position(2, 50)) == 0)
        #expect(
            table.byteCount(from: Position(2, 60), to: Position(2, 50)) == 0, "a follower may hold more than the leader"
        )
        // What is trimmed is not missing.
        table.trim(before: SegmentID(1))
        #expect(table.byteCount(from: .zero, to: Position(2, 50)) == 2_050)
    }
}
