import LogModel
import ReplicaCore
import ReplicaTestSupport
import SegmentFormat

/// Single records appended at the leader of three replicas in memory, each committed before the next: placed, encoded,
/// shipped to two followers as bytes, checked and acknowledged by them.
enum ReplicatePath: CountedPath {
    static let name = "replicate"

    static func run(count: Int, in directory: String) async throws {
        let cluster = try ReplicaCluster(count: 3)
        cluster.pass(milliseconds: 2_000)
        guard let leader = cluster.leader else { preconditionFailure("no leader") }
        let record = Record(value: Bytes(repeating: 0x61, count: 100))
        for id in 1...UInt64(count) {
            cluster.propose(Submission(try FrameDraft.records([record])), id: id, at: leader)
        }
        let committed = cluster.answers.values.count { (try? $0.get()) != nil }
        precondition(committed == count, "\(committed) of \(count) records committed")
    }
}
