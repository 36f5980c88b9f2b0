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
    private let founders: [Member]

    private init(_ opened: OpenedLog) throws(LogError) {
        self.opened = opened
        self.founders = try Self.founders(of: opened)
    }

    static func open(_ configuration: ReplicatorConfiguration) throws(ReplicatorError) -> ReplicaDirectory {
        var log = LogConfiguration(directory: configuration.dataDirectory, node: configuration.node)
        log.policy = configuration.policy
        log.segmentByteCountMax = configuration.segmentByteCountMax
        do {
            return try ReplicaDirectory(
                LogDirectory.open(
                    log, mode: .cluster, fileSystem: LinuxFileSystem(),
                    newIncarnation: { Incarnation(UInt64.random(in: 1 ... .max)) }))
        } catch { throw .log(error) }
    }

    /// The members that the log's very first frame names; nobody while the log is blank.
    private static func founders(of opened: OpenedLog) throws(LogError) -> [Member] {
        guard let store = opened.store, store.first.segment == .first else { return [] }
        let payload = try store.checkpoint(of: .first)
        return (try? LogState(decoding: payload))?.membership.voters ?? []
    }

    var identity: NodeIdentity { self.opened.identity }
    var member: Member { Member(node: self.identity.node, incarnation: self.identity.incarnation) }
    var isBlank: Bool { self.opened.writer == nil }

    var peerIdentity: PeerIdentity {
        PeerIdentity(
            version: WireLimits.version, cluster: self.identity.cluster, node: self.identity.node,
            incarnation: self.identity.incarnation, generation: self.identity.generation,
            starts: self.identity.starts, isBlank: self.isBlank, founders: self.founders)
    }

    /// What opening found, for whoever runs the node.
    func tell(_ logger: Logger) {
        logger.info("log opened", metadata: ["recovery": "\(self.opened.report)"])
        for damage in self.opened.report.damage {
            logger.error("damage: reads of it are refused", metadata: ["damage": "\(damage)"])
        }
        guard !self.opened.mayVote else { return }
        logger.warning(
            "this node stores the log, and neither votes nor leads: what it voted for, or vouched for, may be lost")
    }

    /// Writes the founding frame and names the cluster in IDENTITY.
    func form(_ founding: FoundingLog) throws(LogError) -> ReplicaDirectory {
        var opened = self.opened
        try opened.form(cluster: founding.cluster, founding: founding.bytes[...])
        return try ReplicaDirectory(opened)
    }

    /// A copy of a peer's first segment, for a directory without a log.
    func firstSegmentCopy(of segment: SegmentID, cluster: ClusterID) throws(LogError) -> FirstSegmentCopy {
        try self.opened.firstSegmentCopy(of: segment, cluster: cluster)
    }

    /// Begins with the copy, and opens the directory again.
    func begin(
        with copy: VerifiedFirstSegment, _ configuration: ReplicatorConfiguration
    ) throws(ReplicatorError) -> ReplicaDirectory {
        do { try self.opened.begin(with: copy) } catch { throw .log(error) }
        return try Self.open(configuration)
    }

    /// A node's parts, ready to run.
    struct Running: ~Copyable {
        var core: ReplicaCore
        let disk: ReplicaDisk
        let store: LogStore
    }

    /// Takes up the log: syncs what recovery kept, rebuilds the state at its tail.
    func running(
        _ configuration: ReplicatorConfiguration, now: ReplicaTime
    ) throws(ReplicaOpeningError) -> Running {
        guard let writer = self.opened.writer, let store = self.opened.store, let votes = self.opened.votes,
            let cluster = self.identity.cluster
        else { throw .blank }
        do { try writer.sync(now: now.monotonic) } catch { throw .log(error) }
        let recovered = try ReplicaOpening.recover(
            store: store, commit: self.opened.commit, hardState: HardState(votes.current),
            mayVote: self.opened.mayVote)
        let raft = RaftConfiguration(
            member: self.member, heartbeatIntervalMilliseconds: configuration.heartbeatIntervalMilliseconds,
            electionTimeoutMilliseconds: configuration.electionTimeoutMilliseconds,
            commitRule: configuration.policy == .os ? .received : .persisted)
        var replica = ReplicaConfiguration(
            member: self.member, cluster: cluster, generation: self.identity.generation, starts: self.identity.starts,
            policy: configuration.policy, segmentByteCountMax: configuration.segmentByteCountMax, raft: raft,
            randomSeed: UInt64.random(in: 0 ... .max))
        replica.limits = configuration.limits
        return Running(
            core: ReplicaCore(configuration: replica, recovered: recovered, now: now),
            disk: ReplicaDisk(writer: writer, votes: votes, policy: configuration.policy), store: store)
    }
}
