import LogModel
import LogState
import ReplicaCore
import Replicator
import SegmentFormat
import Synchronization
import Tracing

@testable import HoldfastNode

/// A log in memory, placed as the real one places it; who leads and what fails is the test's choice.
final class FakeLog: LogService {
    private struct Waiter {
        var index: LogIndex
        var continuation: CheckedContinuation<Bool, Never>
    }

    private struct State {
        var chain = FrameChain(empty: ClusterID(high: 1, low: 2))
        var records: [IndexedRecord] = []
        var log = LogState(founding: Membership())
        var leader: NodeID?
        var failure: AppendFailure?
        var readFailure: ReadFailure?
        var trimFailure: TrimFailure?
        var holdsAppends = false
        /// Of three voters.
        var laggardCount = 1
        var appendCount = 0
        var tracedCount = 0
        var waiters: [Waiter] = []
        var peers = FakeLog.peers(ports: [7400, 7410])
        var memberRequests: [MemberRequest] = []
        var memberFailure: MemberFailure?
        /// What segment 2 holds.
        var stored: [UInt8] = []
    }

    let node: NodeID
    private let state: Mutex<State>

    init(node: NodeID, leader: NodeID? = nil) {
        self.node = node
        var state = State()
        _ = state.chain.startSegment()
        _ = state.chain.place(
            FrameDraft.control(.checkpoint, payload: []), term: .zero, node: NodeID(0), timestamp: .zero)
        state.leader = leader ?? node
        self.state = Mutex(state)
    }

    static func peers(ports: [Int]) -> [ClusterPeer] {
        ports.enumerated().map { offset, port in
            ClusterPeer(
                node: NodeID(UInt32(offset + 1)), peerHost: "127.0.0.1", peerPort: port + 1, clientHost: "127.0.0.1",
                clientPort: port)
        }
    }

    /// The records of a draft, read back from the frame that it becomes.
    static func records(of draft: FrameDraft) throws -> [Record] {
        let log = FakeLog(node: NodeID(1))
        log.append(Submission(draft)) { _ in }
        return log.state.withLock { $0.records.map(\.record) }
    }

    // MARK: What the test decides

    func setLeader(_ leader: NodeID?) { self.state.withLock { $0.leader = leader } }
    func fail(appends failure: AppendFailure?) { self.state.withLock { $0.failure = failure } }
    func fail(trims failure: TrimFailure?) { self.state.withLock { $0.trimFailure = failure } }
    func fail(reads failure: ReadFailure?) { self.state.withLock { $0.readFailure = failure } }
    func fail(members failure: MemberFailure?) { self.state.withLock { $0.memberFailure = failure } }
    var memberRequests: [MemberRequest] { self.state.withLock { $0.memberRequests } }
    /// How many of three voters do not vouch.
    func setLaggards(_ count: Int) { self.state.withLock { $0.laggardCount = count } }
    /// What segment 2 holds; every byte is a frame.
    func store(_ bytes: [UInt8]) { self.state.withLock { $0.stored = bytes } }
    /// Appends get no answer any more.
    func holdAppends() { self.state.withLock { $0.holdsAppends = true } }
    var values: [String] {
        self.state.withLock { $0.records.map { String(decoding: $0.record.value, as: UTF8.self) } }
    }
    var waiterCount: Int { self.state.withLock { $0.waiters.count } }
    var appendCount: Int { self.state.withLock { $0.appendCount } }
    /// Appends that the log was asked for inside of a span.
    var tracedCount: Int { self.state.withLock { $0.tracedCount } }

    // MARK: LogService

    func append(
        _ submission: Submission, in context: ServiceContext?,
        reply: @escaping @Sendable (Result<AppendOutcome, AppendFailure>) -> Void
    ) {
        let (result, woken) = self.state.withLock { state -> (Result<AppendOutcome, AppendFailure>?, [Waiter]) in
            state.appendCount += 1
            if context != nil { state.tracedCount += 1 }
            if state.holdsAppends { return (nil, []) }
            if let failure = state.failure { return (.failure(failure), []) }
            guard state.leader == self.node else { return (.failure(.notLeader(leader: state.leader)), []) }
            if let known = Self.duplicate(submission.draft.label, state.log) {
                return (Self.answer(known, to: submission, state), [])
            }
            if let refusal = Self.refusal(of: submission, state) { return (.failure(refusal), []) }
            if let token = submission.conditions.fencingToken, token > state.log.fencingToken {
                _ = Self.place(StateChange.raiseFence(to: token).draft, &state)
            }
            let outcome = Self.place(submission.draft, &state)
            let woken = state.waiters.filter { $0.index <= outcome.last }
            state.waiters.removeAll { $0.index <= outcome.last }
            return (Self.answer(outcome, to: submission, state), woken)
        }
        for waiter in woken { waiter.continuation.resume(returning: true) }
        if let result { reply(result) }
    }

    private static func answer(
        _ outcome: AppendOutcome, to submission: Submission, _ state: State
    ) -> Result<AppendOutcome, AppendFailure> {
        var outcome = outcome
        outcome.nodes = 3 - state.laggardCount
        outcome.voters = 3
        if case .all = submission.acknowledgedBy, state.laggardCount > 0 { return .failure(.notByAll(outcome)) }
        return .success(outcome)
    }

    private static func duplicate(_ label: AppendLabel?, _ log: LogState) -> AppendOutcome? {
        let append: StoredAppend
        switch label {
        case .key(let key):
            guard let stored = log.append(of: key) else { return nil }
            append = stored
        case .producer(let sequence):
            guard case .duplicate(let stored) = log.verdict(on: sequence) else { return nil }
            append = stored
        case nil, .run: return nil
        }
        return AppendOutcome(
            first: append.firstIndex, last: append.lastIndex, position: append.position, term: append.term,
            durability: .persisted, isDuplicate: true)
    }

    private static func refusal(of submission: Submission, _ state: State) -> AppendFailure? {
        if case .run(let first) = submission.draft.label, state.log.verdict(on: first) != .new {
            return state.log.expectedSequence(of: first.producer).map { .producerGap(expected: $0) } ?? .producerExpired
        }
        if let token = submission.conditions.fencingToken, token < state.log.fencingToken {
            return .fenced(token: state.log.fencingToken)
        }
        let next = state.chain.nextIndex
        if let expected = submission.conditions.expectedNext, expected != next { return .conditionFailed(next: next) }
        switch submission.change {
        case .setCursor(let name, _): return state.log.cursors.hasRoom(for: name) ? nil : .tooManyCursors
        case .deleteCursor(let name): return state.log.cursors[name] == nil ? .noSuchCursor : nil
        case .raiseFence(let token):
            return token > state.log.fencingToken ? nil : .fenced(token: state.log.fencingToken)
        case nil: return nil
        }
    }

    private static func place(_ draft: FrameDraft, _ state: inout State) -> AppendOutcome {
        let frame = state.chain.place(draft, term: Term(3), node: NodeID(1), timestamp: Timestamp(nanoseconds: 1_000))
        _ = try? state.log.apply(frame.header, payload: frame.payload, at: frame.position)
        var reader = RecordReader(payload: frame.payload, of: frame.header)
        var index = frame.header.firstIndex
        while let record = try? reader.next() {
            state.records.append(
                IndexedRecord(
                    index: index, position: frame.position, term: Term(3), timestamp: frame.header.timestamp,
                    record: record))
            index = index.advanced(by: 1)
        }
        return AppendOutcome(
            first: frame.header.firstIndex, last: LogIndex(index.rawValue - 1), position: frame.position, term: Term(3),
            durability: .persisted, isDuplicate: false)
    }

    func cursors() async throws(ReadFailure) -> CursorTable {
        let result = self.state.withLock { state -> Result<CursorTable, ReadFailure> in
            if let failure = state.readFailure { return .failure(failure) }
            return state.leader == self.node ? .success(state.log.cursors) : .failure(.notLeader)
        }
        return try result.get()
    }

    func page(
        from start: ReadStart, limit: Int, byteCountMax: Int, consistency: ReadConsistency
    ) async throws(ReadFailure) -> LogPage {
        let result = self.state.withLock { state -> Result<LogPage, ReadFailure> in
            if let failure = state.readFailure { return .failure(failure) }
            if consistency == .linearizable, state.leader != self.node { return .failure(.notLeader) }
            let next = state.chain.nextIndex
            let from: LogIndex =
                switch start {
                case .first: .first
                case .tail: next
                case .index(let index): index
                case .last(let count): LogIndex(max(1, next.rawValue - min(count, next.rawValue - 1)))
                }
            let records = Array(state.records.filter { $0.index >= from }.prefix(limit))
            let after = records.last.map { $0.index.advanced(by: 1) } ?? min(from, next)
            return .success(
                LogPage(records: records, next: after, isUpToDate: after >= next, firstIndex: .first, nextIndex: next))
        }
        return try result.get()
    }

    func waitForCommit(of index: LogIndex, timeoutMilliseconds: UInt64) async -> Bool {
        await withCheckedContinuation { continuation in
            let isThere = self.state.withLock { state -> Bool? in
                if index < state.chain.nextIndex { return true }
                if timeoutMilliseconds == 0 { return false }
                state.waiters.append(Waiter(index: index, continuation: continuation))
                return nil
            }
            if let isThere { continuation.resume(returning: isThere) }
        }
    }

    /// Whoever waits for further records gives up.
    func stop() {
        let waiters = self.state.withLock { state in
            state.readFailure = .unavailable
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.continuation.resume(returning: false) }
    }

    func setPeers(_ peers: [ClusterPeer]) { self.state.withLock { $0.peers = peers } }
    var peers: [ClusterPeer] { self.state.withLock { $0.peers } }

    func changeMembers(_ request: MemberRequest) async -> Result<Membership, MemberFailure> {
        self.state.withLock { state in
            guard state.leader == self.node else { return .failure(.change(.notLeader(leader: state.leader))) }
            if let failure = state.memberFailure { return .failure(failure) }
            state.memberRequests.append(request)
            return .success(Membership(voters: [Member(node: self.node, incarnation: Incarnation(1))]))
        }
    }

    func transferLeadership(to node: NodeID?) async -> Result<NodeID, TransferFailure> {
        self.state.withLock { state in
            guard state.leader == self.node else { return .failure(.notLeader(leader: state.leader)) }
            guard let node, node != self.node else { return .failure(.failed) }
            state.leader = node
            return .success(node)
        }
    }

    func trim(before index: LogIndex) async -> Result<TrimOutcome, TrimFailure> {
        self.state.withLock { state in
            if let failure = state.trimFailure { return .failure(failure) }
            guard state.leader == self.node else { return .failure(.notLeader(leader: state.leader)) }
            return .success(TrimOutcome(firstIndex: index, first: SegmentID(2)))
        }
    }

    func segments() async throws(ReadFailure) -> StoredSegments {
        let result = self.state.withLock { state -> Result<StoredSegments, ReadFailure> in
            if let failure = state.readFailure { return .failure(failure) }
            return .success(
                StoredSegments(
                    cluster: state.chain.cluster, first: SegmentID(2), firstIndex: LogIndex(7),
                    commit: Position(2, UInt32(state.stored.count)), nextIndex: LogIndex(9),
                    byteCount: state.stored.count))
        }
        return try result.get()
    }

    func frames(at position: Position, byteCountMax: Int) async throws(ReadFailure) -> CommittedFrames {
        let result = self.state.withLock { state -> Result<CommittedFrames, ReadFailure> in
            if let failure = state.readFailure { return .failure(failure) }
            guard position.segment == SegmentID(2), position.offset <= UInt32(state.stored.count) else {
                return .failure(.noFrame(at: position))
            }
            let bytes = state.stored.dropFirst(Int(position.offset)).prefix(byteCountMax)
            return .success(CommittedFrames(bytes: bytes, next: position.advanced(by: bytes.count)))
        }
        return try result.get()
    }

    func picture() async -> LogPicture {
        self.state.withLock { state in
            LogPicture(
                node: self.node, role: state.leader == self.node ? "leader" : "follower", isReady: state.leader != nil,
                term: Term(3), leader: state.leader, cluster: state.chain.cluster, incarnation: Incarnation(0xAB),
                commit: state.chain.tail, tail: state.chain.tail, firstIndex: .first, nextIndex: state.chain.nextIndex,
                progress: [.init(node: NodeID(2), isConnected: true, received: Position(0, 64), persisted: nil)])
        }
    }
}
