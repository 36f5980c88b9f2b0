import LogModel
import LogState
import RaftCore
import ReplicaCore
import Replicator
import Tracing

/// What the client listener needs of the log: the Replicator, or a stand-in of the tests.
package protocol LogService: Sendable {
    /// Any thread; `reply` is called exactly once, on any thread.
    ///
    /// - Parameter context: Of the span that its spans are below; `nil` for an append that nobody traces.
    func append(
        _ submission: Submission, in context: ServiceContext?,
        reply: @escaping @Sendable (Result<AppendOutcome, AppendFailure>) -> Void)

    /// The durable cursors, as all that was acknowledged before has left them.
    func cursors() async throws(ReadFailure) -> CursorTable

    /// Committed records in order. Fewer than `limit` when `byteCountMax` is reached, but at least one
    /// when there is one.
    func page(
        from start: ReadStart, limit: Int, byteCountMax: Int, consistency: ReadConsistency
    ) async throws(ReadFailure) -> LogPage

    /// Whether the record at `index` is committed, waiting for it at most so long.
    func waitForCommit(of index: LogIndex, timeoutMilliseconds: UInt64) async -> Bool

    func picture() async -> LogPicture

    /// How far this node's segments are committed.
    func segments() async throws(ReadFailure) -> StoredSegments

    /// Committed frames as they stand in this node's files: one, or as many as fit into `byteCountMax`.
    func frames(at position: Position, byteCountMax: Int) async throws(ReadFailure) -> CommittedFrames

    /// Where each member is found.
    var peers: [ClusterPeer] { get }

    /// - Returns: The membership once the first step is committed; the others follow by themselves.
    func changeMembers(_ request: MemberRequest) async -> Result<Membership, MemberFailure>

    /// Has whole segments removed, on every node, that hold only records before `index`.
    func trim(before index: LogIndex) async -> Result<TrimOutcome, TrimFailure>

    /// Gives leadership to `node`, or to whoever is furthest.
    ///
    /// - Returns: Who leads now.
    func transferLeadership(to node: NodeID?) async -> Result<NodeID, TransferFailure>
}

extension LogService {
    package func append(
        _ submission: Submission, reply: @escaping @Sendable (Result<AppendOutcome, AppendFailure>) -> Void
    ) {
        self.append(submission, in: nil, reply: reply)
    }
}

/// Some committed records, in order.
package struct LogPage: Hashable, Sendable {
    package var records: [IndexedRecord]
    /// Where the next page begins.
    package var next: LogIndex
    package var isUpToDate: Bool
    package var firstIndex: LogIndex
    /// The index that the next committed record takes.
    package var nextIndex: LogIndex
    /// Kept while the records are, and what is made of them.
    package var seat: PageSeat?
}

/// What a node knows of itself and its cluster at one moment.
package struct LogPicture: Hashable, Sendable {
    package struct Progress: Hashable, Sendable {
        package var node: NodeID
        package var isConnected: Bool
        /// The version of the peer protocol that it speaks, and this node does not.
        package var otherProtocol: UInt16?
        /// The version of the segment format that it ships as the leader, and this node does not read.
        package var laterFormat: UInt16?
        /// As the leader knows it; `nil` elsewhere.
        package var received: Position?
        package var persisted: Position?
        package var missingByteCount: UInt64?
        /// For how long what it lacks has been in the log.
        package var lagMilliseconds: UInt64?
        package var shipping: String?
        package var shipped = ReplicatorStatus.Shipped()
    }

    package var node: NodeID
    /// `forming`, `follower`, `candidate`, `leader`, ...
    package var role: String
    package var isReady: Bool
    /// Why this incarnation neither votes nor counts any more.
    package var retirement: Retirement?
    package var term: Term
    package var leader: NodeID?
    package var cluster: ClusterID?
    package var incarnation: Incarnation
    package var generation: UInt32 = 1
    package var commit: Position
    package var tail: Position
    package var firstIndex: LogIndex
    package var nextIndex: LogIndex
    /// The index behind the last record in this node's log, committed or not; and who has its vote in `term`.
    package var tailIndex = LogIndex.first
    package var votedFor: NodeID?
    /// The newest in the log, committed or not; empty before there is one.
    package var membership = Membership()
    package var progress: [Progress]
    package var health = Health()
    /// What is to be written next finds no room on the disk.
    package var isDiskFull = false

    /// Whether the node's copy of the log is whole.
    package struct Health: Hashable, Sendable {
        package var mayVote = true
        package var damagedSegments: [SegmentID] = []
        package var damageFoundCount: UInt64 = 0
        package var repairedSegmentCount: UInt64 = 0
        package var scrubbedByteCount = 0
        package var scrubPassCount = 0

        package init() {}
    }
}

extension LogPicture.Health {
    init(_ status: ReplicatorStatus) {
        self.mayVote = status.mayVote
        self.damagedSegments = status.damagedSegments
        self.damageFoundCount = status.counters.damageFound
        self.repairedSegmentCount = status.counters.segmentsRepaired
        self.scrubbedByteCount = status.scrubbing.byteCount
        self.scrubPassCount = status.scrubbing.passCount
    }
}

extension Replicator: LogService {
    package func page(
        from start: ReadStart, limit: Int, byteCountMax: Int, consistency: ReadConsistency
    ) async throws(ReadFailure) -> LogPage {
        let page = try await self.read(
            from: start, limit: limit, byteCountMax: byteCountMax, consistency: consistency)
        return LogPage(
            records: page.records, next: page.next, isUpToDate: page.isUpToDate, firstIndex: page.firstIndex,
            nextIndex: page.nextIndex, seat: page.seat)
    }

    package func changeMembers(_ request: MemberRequest) async -> Result<Membership, MemberFailure> {
        do throws(MemberFailure) { return .success(try await self.change(request)) } catch { return .failure(error) }
    }

    package func transferLeadership(to node: NodeID?) async -> Result<NodeID, TransferFailure> {
        do throws(TransferFailure) { return .success(try await self.handOver(to: node)) } catch {
            return .failure(error)
        }
    }

    package func trim(before index: LogIndex) async -> Result<TrimOutcome, TrimFailure> {
        do throws(TrimFailure) { return .success(try await self.trimmed(before: index)) } catch {
            return .failure(error)
        }
    }

    package func picture() async -> LogPicture { LogPicture(await self.status()) }
}

extension LogPicture {
    init(_ status: ReplicatorStatus) {
        self.init(
            node: status.node, role: status.phase == .running ? "\(status.role)" : status.phase.rawValue,
            isReady: status.isReady, retirement: status.retirement, term: status.term, leader: status.leader,
            cluster: status.cluster,
            incarnation: status.incarnation, generation: status.generation, commit: status.commit, tail: status.tail,
            firstIndex: status.firstIndex, nextIndex: status.nextIndex, tailIndex: status.tailIndex,
            votedFor: status.votedFor, membership: status.membership,
            progress: status.peers.map {
                .init(
                    node: $0.node, isConnected: $0.isConnected, otherProtocol: $0.otherProtocol,
                    laterFormat: $0.laterFormat,
                    received: $0.received, persisted: $0.persisted,
                    missingByteCount: $0.missingByteCount, lagMilliseconds: $0.lagMilliseconds, shipping: $0.shipping,
                    shipped: $0.shipped)
            }, health: .init(status), isDiskFull: status.isDiskFull)
    }
}
