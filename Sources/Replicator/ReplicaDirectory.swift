import DiskIO
import LogModel
import LogState
import Logging
import RaftCore
import ReplicaCore
import ReplicaDisk
import SegmentLog
import WireFormat

/// A node's data directory, opened and locked: blank, or with a log in it.
final class ReplicaDirectory: Sendable {
    private let opened: OpenedLog
    private let recovered: RecoveredReplica?
    private let founders: [Member]

    private init(_ replica: OpenedReplica) {
        self.opened = replica.opened
        self.recovered = replica.recovered
        self.founders = Self.founders(of: replica.opened)
    }

    static func open(_ configuration: ReplicatorConfiguration) throws(ReplicatorError) -> ReplicaDirectory {
        var log = LogConfiguration(directory: configuration.dataDirectory, node: configuration.node)
        log.policy = configuration.policy
        log.segmentByteCountMax = configuration.segmentByteCountMax
        if configuration.policy != .os { log.framePath = .written }
        do {
            return ReplicaDirectory(
                try ReplicaOpening.open(
                    log,
                    hasPeers: configuration.peers.contains { $0.node != configuration.node }
                        || LogDirectory.namesPeers(of: configuration.node, in: configuration.dataDirectory),
                    fileSystem: LinuxFileSystem(),
                    newIncarnation: { Incarnation(UInt64.random(in: 1 ... .max)) }))
        } catch {
            if case .log(let error) = error { throw .log(error) }
            throw .opening(error)
        }
    }

    /// The members that the log's very first frame names; nobody while the log is blank, or that frame is not readable.
    ///
    /// Nobody, too, where it was restored from a backup: the founders were of another cluster, and whoever joins this one
    /// copies its first segment.
    private static func founders(of opened: OpenedLog) -> [Member] {
        guard let store = opened.store, store.first.segment == .first, let payload = try? store.checkpoint(of: .first)
        else { return [] }
        let founders = (try? LogState(decoding: payload))?.membership.voters ?? []
        return FoundingLog(members: founders).cluster == store.cluster ? founders : []
    }

    var identity: NodeIdentity { self.opened.identity }
    var member: Member { self.identity.member }

    private var start: MemberStart {
        MemberStart(
            member: self.member, generation: self.identity.generation, starts: self.identity.starts,
            lives: self.identity.lives)
    }

    var isBlank: Bool { self.opened.writer == nil }
    /// Had a log, and lost all of it: it waits for the cluster that it belongs to, and forms none.
    var isEmptied: Bool { self.isBlank && !self.opened.mayVote }

    var peerIdentity: PeerIdentity {
        PeerIdentity(
            cluster: self.identity.cluster, node: self.identity.node,
            incarnation: self.identity.incarnation, generation: self.identity.generation,
            starts: self.identity.starts, isBlank: self.isBlank && !self.isEmptied,
            isRetired: self.opened.votes?.retirement != nil, founders: self.founders)
    }

    /// What opening found, for whoever runs the node.
    func tell(_ logger: Logger) {
        logger.info("log opened", metadata: ["recovery": "\(self.opened.report)"])
        for damage in self.opened.report.damage {
            logger.error(
                "damage: reads of it are refused until a peer's copy has taken its place",
                metadata: ["damage": "\(damage)", "hint": "\(ReplicatorLoop.damageHint)"])
        }
        if let givenUp = self.opened.report.givenUp {
            logger.error(
                "the log ends before damage; a peer has the rest",
                metadata: [
                    "damage": "\(givenUp)", "kept": "\(self.opened.report.setAside)",
                    "hint": "keep the other nodes running until it is level; then look at this disk",
                ])
        }
        if let starts = self.opened.starts, starts.found == nil {
            logger.warning(
                "STARTS is unreadable: which starts of its peers this node has seen is forgotten",
                metadata: ["hint": "it is written anew; put no older copy of another node's directory back"])
        }
        if let retirement = self.opened.votes?.retirement {
            logger.error(
                "this node neither votes nor counts any more: \(retirement.reason)",
                metadata: ["hint": "\(retirement.remedy(for: self.identity.node))"])
        } else if !self.opened.mayVote {
            logger.warning(
                "this node neither votes nor leads until it holds again what the leader has committed",
                metadata: ["hint": "keep a majority of the others running until it is level"])
        }
    }

    /// Writes the founding frame and names the cluster in IDENTITY.
    ///
    /// - Parameter generation: Of the cluster, when there is one already.
    func form(_ founding: FoundingLog, generation: UInt32?) throws(ReplicatorError) -> ReplicaDirectory {
        var opened = self.opened
        do throws(LogError) {
            if let generation { try opened.changeGeneration(to: generation) }
            try opened.form(cluster: founding.cluster, founding: founding.bytes[...])
        } catch { throw .log(error) }
        do { return ReplicaDirectory(OpenedReplica(opened, try ReplicaOpening.recover(opened))) } catch {
            throw .opening(error)
        }
    }

    /// A copy of a peer's first segment, for a directory without a log.
    func firstSegmentCopy(of segment: SegmentID, cluster: ClusterID) throws(LogError) -> FirstSegmentCopy {
        try self.opened.firstSegmentCopy(of: segment, cluster: cluster)
    }

    /// Begins with the copy, and opens the directory again.
    func begin(
        with copy: VerifiedFirstSegment, generation: UInt32, _ configuration: ReplicatorConfiguration
    ) throws(ReplicatorError) -> ReplicaDirectory {
        var opened = self.opened
        do {
            try opened.changeGeneration(to: generation)
            try opened.begin(with: copy)
        } catch { throw .log(error) }
        return try Self.open(configuration)
    }

    /// A node's parts, ready to run.
    struct Running: ~Copyable {
        var core: ReplicaCore
        let disk: ReplicaDisk
        let store: LogStore
    }

    /// Takes up the log.
    func running(
        _ configuration: ReplicatorConfiguration, now: ReplicaTime
    ) throws(ReplicaOpeningError) -> Running {
        guard let writer = self.opened.writer, let store = self.opened.store, let votes = self.opened.votes,
            let starts = self.opened.starts, let cluster = self.identity.cluster, let recovered = self.recovered
        else { throw .blank }
        let raft = RaftConfiguration(
            member: self.member, heartbeatIntervalMilliseconds: configuration.heartbeatIntervalMilliseconds,
            electionTimeoutMilliseconds: configuration.electionTimeoutMilliseconds,
            commitRule: configuration.policy == .os ? .received : .persisted)
        var replica = ReplicaConfiguration(
            start: self.start, cluster: cluster,
            policy: configuration.policy, segmentByteCountMax: configuration.segmentByteCountMax, raft: raft,
            randomSeed: UInt64.random(in: 0 ... .max))
        replica.limits = configuration.limits
        return Running(
            core: ReplicaCore(configuration: replica, recovered: recovered, now: now),
            disk: ReplicaDisk(writer: writer, votes: votes, starts: starts, policy: configuration.policy), store: store)
    }
}
