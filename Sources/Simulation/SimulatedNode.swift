import DiskIO
import LogModel
import LogState
import RaftCore
import ReplicaCore
import ReplicaDisk
import SegmentLog
import SystemPackage
import WireFormat

/// One whole node: the core that ships, the engine that ships, on a simulated disk.
final class SimulatedNode {
    static let directory: FilePath = "/data"

    let number: Int
    var disk: SimulatedFileSystem
    private(set) var member: Member
    private let configuration: SimulationConfiguration

    /// Has a log; else it waits to be named by one.
    private(set) var isFounded = false
    /// Counts the starts; what was meant for an earlier life is dropped.
    private(set) var life = 0
    private var core: ReplicaCore?
    private(set) var worker: ReplicaDisk?
    private(set) var store: LogStore?
    /// Of a peer's first segment, whole and checked.
    fileprivate var copy: VerifiedFirstSegment?
    /// Of a damaged segment, good and not installed yet.
    var goodCopy: VerifiedSegment?
    /// Found by whoever read it, and not told to the core yet.
    let met = FoundDamage()
    /// At its last start a part of its log was given up.
    private(set) var hasGivenUp = false
    var log = MirroredLog()
    var jobs: [DiskJob] = []
    var isDiskBusy = false
    /// Under `batch`: a sync comes at the end of the window.
    var isSyncDue = false
    /// What its disk thread knows of the room there is.
    var room = RoomWatch()
    /// All of it, its disk included.
    var isSlow = false
    var isDiskSlow = false
    /// At its last end; DURABLE may be behind what it had synced.
    var hasLostPower = false
    /// Commits that this node has reported in its present term.
    private(set) var commitsOfTerm = 0
    /// Of the present life.
    private var commitSeen = Position.zero
    private var commitTerm = Term.zero
    /// Added to the wall clock.
    var clockSkew: UInt64 = 0

    // What the node has vouched for, across its lives.
    var vouchedPersisted = LogPoint.zero
    var vouchedState = HardState(term: .zero, vote: nil)
    /// Everything before is gone for good.
    var first = SegmentID.first
    /// A copy of this directory from earlier on.
    var backup: Backup?
    /// Its directory was put back from a copy.
    var isRestored = false

    init(number: Int, configuration: SimulationConfiguration, random: inout SplitMix64) {
        self.number = number
        self.configuration = configuration
        self.disk = SimulatedFileSystem(seed: random.next())
        self.member = Member(node: NodeID(UInt32(number + 1)), incarnation: Incarnation(random.next()))
    }

    /// Running, with nothing left to do for its disk.
    var isResting: Bool { self.isRunning && !self.isDiskBusy && self.jobs.isEmpty && !self.isSyncDue }
    var isRunning: Bool { self.worker != nil }
    var mayVote: Bool { self.core?.raft.mayVote ?? false }
    var damagedSegments: [SegmentID] { self.core?.damagedSegments ?? [] }
    var role: RaftRole { self.core?.raft.role ?? .follower }
    var term: Term { self.core?.raft.term ?? .zero }
    var leader: NodeID? { self.core?.raft.leader }
    /// Which start of which directory runs.
    var start: MemberStart? { self.core?.start }
    /// The starts of its peers that it knows of.
    var sightings: [Member: StartSighting] { self.core?.sightings ?? [:] }
    /// The newest in its log.
    var membership: Membership? { self.core?.raft.membership }
    var commit: Position { self.core?.commit ?? .zero }
    var tail: Position { self.core?.chain.tail ?? .zero }

    var committedCursors: CursorTable { self.core?.committedCursors ?? CursorTable() }

    private var logConfiguration: LogConfiguration {
        var log = LogConfiguration(directory: Self.directory, node: self.member.node)
        log.policy = self.configuration.policy
        log.segmentByteCountMax = self.configuration.segmentByteCountMax
        log.allowsSmallSegments = true
        return log
    }

    private func open(_ life: Life) throws(ReplicaOpeningError) -> OpenedReplica {
        let incarnation = self.member.incarnation
        return try ReplicaOpening.open(
            self.logConfiguration, fileSystem: self.disk, newLife: { life }, newIncarnation: { incarnation })
    }

    /// Writes the founding frame; the node is not running yet.
    func found(_ founding: FoundingLog, life: Life) throws {
        var opened = try self.open(life).opened
        try opened.form(cluster: founding.cluster, founding: founding.bytes[...])
        try opened.writer?.close()
        self.isFounded = true
    }

    /// A new disk in a node that is down: nothing of what it was is left.
    func wipe(random: inout SplitMix64) {
        precondition(!self.isRunning, "a running node loses its disk")
        self.disk = SimulatedFileSystem(seed: random.next())
        self.member = Member(node: self.member.node, incarnation: Incarnation(random.next()))
        self.isFounded = false
        self.backup = nil
        self.isRestored = false
        self.log = MirroredLog()
        self.vouchedPersisted = .zero
        self.vouchedState = HardState(term: .zero, vote: nil)
        self.first = .first
    }

    /// Starts the node from what its disk holds.
    ///
    /// - Parameter committed: Stands for what cannot be read, in the mirror of its log.
    func start(randomSeed: UInt64, now: ReplicaTime, committed: [MirroredLog.Frame]) throws(Violation) {
        self.life += 1
        self.commitSeen = .zero
        self.hasGivenUp = false
        do {
            let own = try self.open(Life(randomSeed))
            let opened = own.opened
            guard let recovered = own.recovered, let writer = opened.writer, let store = opened.store,
                let votes = opened.votes, let starts = opened.starts, let cluster = opened.identity.cluster
            else {
                guard !opened.report.setAside.isEmpty || opened.bar == .untilLevel else {
                    throw self.refused("its directory is blank")
                }
                return self.emptied()
            }
            self.hasGivenUp = opened.report.givenUp != nil
            if opened.bar == .untilLevel {
                self.vouchedPersisted = min(self.vouchedPersisted, recovered.marks.tail.point)
            }
            try self.check(recovered)
            var raft = RaftConfiguration(
                member: self.member, commitRule: self.configuration.policy == .os ? .received : .persisted)
            raft.planted = self.configuration.planted
            var replica = ReplicaConfiguration(
                start: MemberStart(
                    member: self.member, generation: opened.identity.generation, starts: opened.identity.starts,
                    lives: opened.identity.lives),
                cluster: cluster, policy: self.configuration.policy,
                segmentByteCountMax: self.configuration.segmentByteCountMax, raft: raft, randomSeed: randomSeed)
            replica.limits.commitTimeoutMilliseconds = 3_000
            // Where leaders die young, each frame travels alone and waits for the one before it.
            replica.limits.rangeByteCountMax = self.configuration.isChurning ? 256 : 2 << 10
            replica.limits.windowByteCountMax = self.configuration.isChurning ? 256 : 16 << 10
            replica.limits.tailByteCountMax = 8 << 10
            try self.note(first: store.first.segment)
            self.log = try self.mirror(store, committed)
            self.core = ReplicaCore(configuration: replica, recovered: recovered, now: now)
            self.worker = ReplicaDisk(
                writer: writer, votes: votes, starts: starts, policy: self.configuration.policy,
                planted: self.configuration.planted)
            self.store = store
            let met = self.met
            met.take()
            store.damageFound = { met.note($0) }
            self.room = RoomWatch()
            self.isSyncDue = false
        } catch let violation as Violation {
            throw violation
        } catch {
            throw self.refused("\(error)")
        }
        self.jobs = []
        self.isDiskBusy = false
    }

    private func refused(_ detail: String) -> Violation {
        Violation(invariant: .recovers, detail: "node \(self.number): \(detail)")
    }

    private func check(_ recovered: borrowing RecoveredReplica) throws(Violation) {
        let state = recovered.hardState
        if state.term < self.vouchedState.term
            || (state.term == self.vouchedState.term && self.vouchedState.vote != nil
                && state.vote != self.vouchedState.vote)
        {
            throw Violation(
                invariant: .nothingGoesBack,
                detail: "node \(self.number) forgot its vote of term \(self.vouchedState.term), it has \(state)")
        }
        let tail = recovered.marks.tail.point
        if tail < self.vouchedPersisted {
            throw Violation(
                invariant: .nothingGoesBack,
                detail: "node \(self.number) vouched for \(self.vouchedPersisted) and recovered \(tail)")
        }
    }

    /// All of its log was damaged: it waits for its cluster, and may not vote.
    private func emptied() {
        self.isFounded = false
        self.hasGivenUp = true
        self.log = MirroredLog()
        self.vouchedPersisted = .zero
        self.first = .first
    }

    /// What cannot be read is committed, or it would have been given up.
    private func mirror(_ store: LogStore, _ committed: [MirroredLog.Frame]) throws -> MirroredLog {
        var log = MirroredLog()
        var from = store.first
        let tail = store.written.position
        while from < tail {
            do throws(LogError) {
                let range = try store.read(from: from, through: tail, byteCountMax: 1 << 20)
                guard !range.bytes.isEmpty else { break }
                log.append(range.bytes, at: range.position)
                from = range.end
            } catch {
                guard case .damaged(let damage) = error, damage.segment < tail.segment else { throw error }
                log.truncate(to: Position(segment: damage.segment, offset: 0))
                log.append(committed.filter { $0.position.segment == damage.segment })
                from = Position(segment: damage.segment.next, offset: 0)
            }
        }
        return log
    }

    /// The process is gone; the disk keeps what it must and, in part, what it may.
    func stop() {
        self.core = nil
        self.worker = nil
        self.store = nil
        self.copy = nil
        self.goodCopy = nil
        self.jobs = []
        self.isDiskBusy = false
        self.isSlow = false
        self.isDiskSlow = false
    }

    func step(_ event: ReplicaEvent, now: ReplicaTime) -> [ReplicaAction] {
        self.core?.step(event, now: now) ?? []
    }

    // MARK: What it vouches for

    func committed(through position: Position) throws(Violation) {
        guard position >= self.commitSeen else {
            throw Violation(
                invariant: .nothingGoesBack,
                detail: "node \(self.number) commits \(position) after \(self.commitSeen)")
        }
        self.commitSeen = position
        if self.commitTerm != self.term { self.commitsOfTerm = 0 }
        self.commitTerm = self.term
        self.commitsOfTerm += 1
    }

    func acknowledges(_ ack: AckMessage) {
        if self.configuration.policy != .os { self.vouchedPersisted = max(self.vouchedPersisted, ack.persisted) }
    }

    /// An append that all voters are said to have: it stands here, and every later start must find it.
    func mustHave(_ frame: MirroredLog.Frame) throws(Violation) {
        // Of a directory that was put back meanwhile nothing is expected but that it counts for nothing.
        guard frame.position.segment >= self.first, !self.isRestored else { return }
        guard self.log.frames.contains(frame) else {
            throw Violation(
                invariant: .acknowledgedByAll, detail: "node \(self.number) does not have what is at \(frame.position)")
        }
        self.vouchedPersisted = max(self.vouchedPersisted, LogPoint(term: frame.term, position: frame.end))
    }

    /// The log begins there, whatever crash comes.
    func note(first: SegmentID) throws(Violation) {
        guard first >= self.first else {
            throw Violation(
                invariant: .trimmedAsAsked,
                detail: "node \(self.number) began with segment \(self.first), and now with \(first)")
        }
        self.first = first
    }

    func votePersisted(_ state: HardState) { self.vouchedState = state }

    func truncated(to point: LogPoint) {
        self.log.truncate(to: point.position)
        if self.vouchedPersisted.position > point.position { self.vouchedPersisted = point }
    }
}

/// A log that is given up for a peer's first segment.
extension SimulatedNode {
    /// - Returns: Whether the copy is good.
    /// - Throws: When the machine is gone.
    func takeCopy(of file: SegmentFile, isDamaged: Bool) throws(LogError) -> Bool {
        guard var copy = try self.store?.firstSegmentCopy(of: file.segment) else { return false }
        let middle = file.byteCount / 2
        do throws(LogError) {
            for range in [0..<middle, middle..<file.byteCount] {
                var bytes = try file.read(range)
                if isDamaged, range.lowerBound > 0 { bytes[bytes.startIndex + bytes.count / 2] ^= 1 }
                try copy.write(bytes)
            }
            self.copy = try copy.verified()
            return true
        } catch {
            copy.cancel()
            guard case .rejected = error, isDamaged else { throw error }
            return false
        }
    }

    func dropCopy() {
        self.copy?.cancel()
        self.copy = nil
    }

    /// Does what is queued and finds room, and decides for the copy: what it ends with is all that this node vouches for then.
    func giveUp() throws(LogError) {
        guard let worker, let copy else { preconditionFailure("node \(self.number) has no copy to begin with") }
        self.vouchedPersisted = min(self.vouchedPersisted, copy.end)
        _ = try self.performJobs()
        try worker.giveUp(for: copy)
    }
}
