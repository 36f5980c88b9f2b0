import LogModel
import RaftCore
import ReplicaCore
import SegmentLog
import WireFormat

/// Performs a node's disk jobs on its log, in order: the one place where decisions become bytes on disk.
///
/// Synchronous and without a thread of its own: a running node calls it from its disk thread, the simulator
/// from its loop. One caller at a time.
package final class ReplicaDisk {
    private let writer: LogWriter
    private let votes: VoteFile
    private let starts: StartsFile
    private let policy: FsyncPolicy
    private let planted: PlantedBug?
    /// How many truncations the writes came after.
    private var generation: UInt64 = 0
    /// A segment was filled under ``FsyncPolicy/os``, and is not cut to its length yet.
    private var isFinalizeDue = false
    /// Written since the last sync.
    package private(set) var needsSync = false

    package init(
        writer: LogWriter, votes: VoteFile, starts: StartsFile, policy: FsyncPolicy, planted: PlantedBug? = nil
    ) {
        self.writer = writer
        self.votes = votes
        self.starts = starts
        self.policy = policy
        self.planted = planted
    }

    /// Performs one job.
    ///
    /// - Returns: What the node is to be told, if anything.
    /// - Throws: ``LogError``; after `.noSpace` nothing of the job was done and it may be tried again, after
    ///   any other the node must stop.
    package func perform(_ job: DiskJob) throws(LogError) -> ReplicaEvent? {
        switch job {
        case .write(let bytes, let position, let generation):
            try self.writer.append(bytes, at: position)
            self.generation = generation
            self.needsSync = true
            if position.offset == 0 { self.isFinalizeDue = true }
            return .written(through: self.writer.chain.point, generation: generation)
        case .truncate(let point, let generation):
            try self.writer.truncate(from: point.position)
            self.generation = generation
            self.needsSync = true
            return .written(through: self.writer.chain.point, generation: generation)
        case .trim(let position):
            // Only what is synced goes; what was decided lies behind it, and is in the file already.
            if self.writer.durable.position < position { try self.writer.sync() }
            try self.trim(before: position)
            return nil
        case .persistVote(let state):
            try self.votes.store(term: state.term, vote: state.vote)
            return .votePersisted(state)
        case .recordCommit(let position):
            self.writer.recordCommit(position)
            return nil
        case .liftBar:
            try self.votes.liftBar()
            return nil
        case .rememberStarts(let sightings):
            try self.remember(sightings)
            return nil
        case .retire(let retirement):
            try self.votes.retire(retirement)
            return nil
        }
    }

    /// What a full disk does not take is known to this process all the same: no reason to stop.
    private func remember(_ sightings: [StartSighting]) throws(LogError) {
        do throws(LogError) {
            try self.starts.store(sightings)
        } catch {
            guard error == .noSpace else { throw error }
        }
    }

    /// Files that could not be removed go at the next start: no reason to stop.
    private func trim(before position: Position) throws(LogError) {
        guard let job = self.writer.beginTrim(before: position) else { return }
        switch job.perform() {
        case .done, .filesLeft: return
        case .syncFailed(let error):
            self.writer.syncFailed()
            throw error
        }
    }

    /// Makes everything written so far durable.
    ///
    /// - Throws: ``LogError``; the node must stop, a failed sync is never retried.
    package func sync(now: MonotonicTime) throws(LogError) -> ReplicaEvent {
        self.needsSync = false
        self.isFinalizeDue = false
        if self.planted == .skipSync {
            return .persisted(through: self.writer.chain.point, generation: self.generation)
        }
        return .persisted(through: try self.writer.sync(now: now), generation: self.generation)
    }

    /// Makes the pages ahead of the tail present, if it is time: between jobs, so that writes do not wait for them.
    package func populateAhead() { self.writer.takePopulation()?.perform() }

    /// Makes the next segment's file ready, so that a rotation finds it.
    package func prepareNextSegment() throws(LogError) {
        try self.writer.prepareNextSegment()
    }

    /// To be called about once a second: carries the hints for recovery and for seeking to the disk, and finalizes full segments where
    /// no sync does.
    ///
    /// - Returns: What the node is to be told, if anything: only what is persisted is scrubbed and repaired.
    package func rest(now: MonotonicTime) throws(LogError) -> ReplicaEvent? {
        let event = self.isFinalizeDue && self.policy == .os ? try self.sync(now: now) : nil
        try self.writer.syncDurableFile(now: now)
        // A hint: whoever misses it walks the segment.
        if let segment = self.writer.takeUnindexed() { _ = try? self.writer.store.writeIndexFile(of: segment) }
        return event
    }

    /// Puts a good copy into the place of a damaged segment.
    ///
    /// - Returns: Why it was not done; the log is as it was.
    /// - Throws: ``LogError``; the node must stop, a failed sync is never retried.
    package func install(_ copy: VerifiedSegment) throws(LogError) -> LogError? {
        do throws(LogError) {
            try self.writer.install(copy)
            return nil
        } catch {
            guard !self.writer.hasFailed else { throw error }
            return error
        }
    }

    /// Instead of closing: the log is given up for a peer's first segment; the directory is to be opened again.
    package func giveUp(for copy: VerifiedFirstSegment) throws(LogError) {
        try self.writer.giveUp(for: copy)
    }

    package func close(now: MonotonicTime) throws(LogError) {
        try self.writer.close(now: now)
    }
}
