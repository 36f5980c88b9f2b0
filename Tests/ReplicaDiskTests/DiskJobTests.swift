import LogModel
import RaftCore
import ReplicaCore
import ReplicaDisk
import Testing

struct DiskJobTests {
    private func write(_ byteCount: Int, at offset: UInt32) -> DiskJob {
        .write(Bytes(repeating: 7, count: byteCount), at: Position(0, offset), generation: 0)
    }

    private func offsets(_ jobs: [DiskJob]) -> [UInt32?] {
        jobs.map { if case .write(_, let position, _) = $0 { position.offset } else { nil } }
    }

    @Test func `one sync carries whole jobs, in order, until its bound is reached`() {
        var jobs = [self.write(60, at: 0), self.write(50, at: 60), self.write(10, at: 110), self.write(500, at: 120)]
        #expect(self.offsets(DiskJob.take(from: &jobs, byteCountMax: 100, isBlocked: false)) == [0, 60])
        #expect(self.offsets(DiskJob.take(from: &jobs, byteCountMax: 100, isBlocked: false)) == [110, 120])
        #expect(jobs.isEmpty)
        #expect(DiskJob.take(from: &jobs, byteCountMax: 100, isBlocked: false).isEmpty)
    }

    @Test func `a disk that is far behind takes all at once`() {
        var jobs = (0..<17).map { self.write(1 << 20, at: UInt32($0) << 20) }
        #expect(DiskJob.take(from: &jobs, byteCountMax: 100, isBlocked: false).count == 17)
        #expect(jobs.isEmpty)
        jobs = (0..<16).map { self.write(1 << 20, at: UInt32($0) << 20) }
        #expect(DiskJob.take(from: &jobs, byteCountMax: 100, isBlocked: false).count == 1)
    }

    @Test func `a vote does not wait for the bytes before it, a truncation and a trim do`() {
        let vote = DiskJob.persistVote(HardState(term: Term(3), vote: nil))
        let truncation = DiskJob.truncate(to: .zero, generation: 1)
        var jobs = [self.write(100, at: 0), truncation, .trim(before: Position(1, 0)), self.write(9, at: 100), vote]
        let taken = DiskJob.take(from: &jobs, byteCountMax: 100, isBlocked: false)
        #expect(self.offsets(taken) == [0, nil])
        guard case .persistVote? = taken.last else {
            Issue.record("the vote waits")
            return
        }
        #expect(self.offsets(jobs) == [nil, nil, 100])
    }

    @Test func `a trim does not wait behind writes that wait for room, however many there are`() {
        var jobs = [self.write(100, at: 0), self.write(9, at: 100), .trim(before: Position(1, 0))]
        let taken = DiskJob.take(from: &jobs, byteCountMax: 100, isBlocked: true)
        #expect(self.offsets(taken) == [0, 100, nil])
        #expect(jobs.isEmpty)
    }
}
