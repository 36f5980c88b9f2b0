import LogModel
import ReplicaCore
import SegmentLog

extension ReplicaDisk {
    /// Performs jobs in order. A write that finds no room has to wait, and all that comes behind it, so that nothing placed
    /// is ever skipped; only what must not wait overtakes it.
    ///
    /// - Parameter events: What the node is to be told, also after an error.
    /// - Returns: What is left, to be performed again before all that comes later.
    /// - Throws: ``LogError``; the node must stop.
    package func perform(_ jobs: [DiskJob], events: inout [ReplicaEvent]) throws(LogError) -> [DiskJob] {
        var left: [DiskJob] = []
        for job in jobs {
            if !left.isEmpty {
                if job.waitsForRoom { left.append(job) }
                guard job.overtakes else { continue }
            }
            do throws(LogError) {
                if let event = try self.perform(job) { events.append(event) }
            } catch {
                guard error == .noSpace, case .write = job else { throw error }
                left = [job]
            }
        }
        return left
    }
}

extension DiskJob {
    /// More than a leader ships to a follower that is behind. So much waits on a leader's disk that is slower than those
    /// of a majority, which need not wait for it: then throughput is all that counts.
    private static let queuedByteCountMax = 16 << 20

    /// Takes off the front what one sync should carry: at least one job, and no more once `byteCountMax` bytes are to be
    /// written. What must not wait comes along from further back.
    ///
    /// - Parameter isBlocked: The first write waits for room: all is taken, for a trim behind it may be what makes some.
    package static func take(from jobs: inout [DiskJob], byteCountMax: Int, isBlocked: Bool) -> [DiskJob] {
        let isFarBehind = jobs.reduce(0) { $0 + $1.writtenByteCount } > Self.queuedByteCountMax
        guard !isBlocked, !isFarBehind else {
            defer { jobs = [] }
            return jobs
        }
        var taken: [DiskJob] = []
        var left: [DiskJob] = []
        var byteCount = 0
        for job in jobs {
            if byteCount >= byteCountMax, job.waitsForRoom {
                left.append(job)
                continue
            }
            taken.append(job)
            byteCount += job.writtenByteCount
        }
        jobs = left
        return taken
    }

    private var writtenByteCount: Int {
        if case .write(let bytes, _, _) = self { bytes.count } else { 0 }
    }

    /// A vote kept back would keep the cluster without a leader; stored early, it only withholds. A trim may free the room
    /// that is waited for.
    fileprivate var overtakes: Bool {
        switch self {
        case .persistVote, .retire, .rememberStarts, .trim: true
        case .write, .truncate, .recordCommit, .liftBar: false
        }
    }

    /// A trim that has overtaken is done again in its turn.
    fileprivate var waitsForRoom: Bool {
        if case .trim = self { true } else { !self.overtakes }
    }
}
