import HoldfastClient
import LogModel
import SegmentLog
import Synchronization

/// Nodes that run. Equal positions hold equal bytes on all of them, so any can go on where another has stopped.
final class ServerSource: BackupSource {
    private struct State {
        /// Those whose bytes count.
        var servers: [ServerAddress]
        /// Which of them is asked.
        var place = 0
        var node = NodeID(0)
        /// What the run copies; `nil` before anybody was asked.
        var outline: BackupOutline?
        /// Whether the server that is asked is known to be of its generation.
        var isKnown = false
        /// Whether a server is of a newer generation than what was copied.
        var isOvertaken = false

        var server: ServerAddress { self.servers[self.place] }
    }

    private let client: HoldfastClient
    let patienceMilliseconds: UInt64
    private let console: Console
    private let state: Mutex<State>

    private static let pauseMilliseconds: UInt64 = 100
    private static let askedAtOnceMax = 16
    /// How long the others may take to answer once one has.
    private static let grace = Duration.milliseconds(1_500)

    init(client: HoldfastClient, servers: [ServerAddress], patienceMilliseconds: UInt64, console: Console) {
        self.client = client
        self.patienceMilliseconds = patienceMilliseconds
        self.console = console
        self.state = Mutex(State(servers: servers))
    }

    private var servers: [ServerAddress] { self.state.withLock { $0.servers } }

    /// What the nodes that answer have together: the backup may have more already than one of them, and another may have
    /// trimmed more.
    func outline() async throws(CommandFailure) -> BackupOutline {
        let found = try await self.outlines()
        let joined: (outline: BackupOutline, asked: [Int])?
        do throws(BackupError) {
            joined = try BackupOutline.joined(found.map(\.outline))
        } catch {
            let (first, cluster) = (found[0].server, found[0].outline.cluster)
            let other = found.first { $0.outline.cluster != cluster } ?? found[0]
            throw CommandFailure(
                .refused, "\(first) is of cluster \(cluster), and \(other.server) is of \(other.outline.cluster)",
                next: "name nodes of one cluster with --server")
        }
        guard let (outline, asked) = joined else {
            throw CommandFailure(ClientError.unreachable("no server was given"))
        }
        let first = found[asked[0]]
        // Of those that did not answer nobody knows yet whether their bytes count: the chain tells.
        let older = found.indices.filter { !asked.contains($0) }.map { found[$0].server }
        self.state.withLock { state in
            state.servers.removeAll { older.contains($0) }
            state.place = state.servers.firstIndex(of: first.server) ?? 0
            state.node = first.outline.node
            state.outline = outline
            state.isKnown = true
        }
        for server in older {
            self.console.note("\(server) is left out: it is of a generation before the cluster's last recovery")
        }
        return outline
    }

    /// Asks all servers at the same time, and again until one has answered or the time is up.
    ///
    /// - Returns: What those that answered have, in the order in which the servers were named; never empty.
    private func outlines() async throws(CommandFailure) -> [(server: ServerAddress, outline: BackupOutline)] {
        let deadline = ContinuousClock.now + .milliseconds(self.patienceMilliseconds)
        while true {
            var found: [(server: ServerAddress, outline: BackupOutline)] = []
            var failure = CommandFailure(ClientError.unreachable("no server was given"))
            for (server, answer) in await self.documents(until: deadline) {
                switch answer {
                case .success(let document): found.append((server, try Self.outline(document, of: server)))
                case .failure(let error) where found.isEmpty:
                    failure = Self.failure(error, at: server)
                    guard Self.mayPass(error) || Self.isDamage(error) else { throw failure }
                case .failure: break
                }
            }
            guard found.isEmpty else { return found }
            guard ContinuousClock.now < deadline else { throw failure }
            try? await Task.sleep(for: .milliseconds(Self.pauseMilliseconds))
        }
    }

    /// One round. A server that is silent holds up nobody but the round's end, and that only while no other has answered:
    /// then for ``grace``, and no longer.
    private func documents(
        until deadline: ContinuousClock.Instant
    ) async -> [(server: ServerAddress, answer: Result<SegmentsDocument, ClientError>)] {
        let (client, servers) = (self.client, self.servers)
        guard !servers.isEmpty else { return [] }
        let (news, tell) = AsyncStream.makeStream(of: (Int, Result<SegmentsDocument, ClientError>).self)
        var waiting = servers.indices.makeIterator()
        // Not in a group, which would wait for those that nobody waits for any more; each has a time-out of its own.
        func askNext() {
            guard let place = waiting.next() else { return }
            let left = UInt64(max(1, ContinuousClock.now.duration(to: deadline).milliseconds))
            let timeout = min(left, ClientLimits.segmentTimeoutMilliseconds)
            Task {
                do throws(ClientError) {
                    let document = try await client.segments(of: servers[place], timeoutMilliseconds: timeout)
                    tell.yield((place, .success(document)))
                } catch {
                    tell.yield((place, .failure(error)))
                }
            }
        }
        for _ in 0..<Self.askedAtOnceMax { askNext() }
        var answers: [(place: Int, answer: Result<SegmentsDocument, ClientError>)] = []
        var ending: Task<Void, Never>?
        for await (place, answer) in news {
            answers.append((place, answer))
            if answers.count == servers.count { break }
            if ending == nil, case .success = answer {
                ending = Task {
                    try? await Task.sleep(for: Self.grace)
                    tell.finish()
                }
            }
            askNext()
        }
        ending?.cancel()
        return answers.sorted { $0.place < $1.place }.map { (servers[$0.place], $0.answer) }
    }

    private static func outline(
        _ document: SegmentsDocument, of server: ServerAddress
    ) throws(CommandFailure) -> BackupOutline {
        guard let cluster = ClusterID(document.cluster), let commit = Position(document.commit) else {
            throw CommandFailure(ClientError.badAnswer("\(server): /v1/segments"))
        }
        return BackupOutline(
            cluster: cluster, generation: document.generation, node: NodeID(document.node),
            first: SegmentID(document.firstSegment), commit: commit, byteCount: Int(clamping: document.bytes))
    }

    /// A server that has not committed so far yet is passed over, and so is one that has no frame there, as long as another
    /// may have one.
    func frames(
        at position: Position
    ) async throws(CommandFailure) -> (bytes: Bytes, next: Position, node: NodeID)? {
        let deadline = ContinuousClock.now + .milliseconds(self.patienceMilliseconds)
        var damage: CommandFailure?
        while true {
            var failure = CommandFailure(ClientError.unreachable("no server was given"))
            let count = self.servers.count
            var round = BackupRound(serverCount: count)
            for _ in 0..<count {
                let server = self.state.withLock { $0.server }
                do throws(ClientError) {
                    try await self.check(server)
                    let found = try await Self.frames(at: position, of: server, self.client)
                    return (found.bytes, found.next, self.state.withLock { $0.node })
                } catch {
                    let answer = Self.answer(error)
                    round.heard(answer)
                    if answer != .noSuchFrame {
                        failure = Self.failure(error, at: server)
                        guard Self.mayPass(error) || Self.isDamage(error) else { throw failure }
                    }
                    if Self.isDamage(error) { damage = failure }
                    self.turn(from: server, error)
                }
                try self.checkGeneration()
            }
            switch round.verdict(isLate: ContinuousClock.now >= deadline) {
            case .noSuchFrame: return nil
            case .failed: throw damage ?? failure
            case .again: try? await Task.sleep(for: .milliseconds(Self.pauseMilliseconds))
            }
        }
    }

    private static func frames(
        at position: Position, of server: ServerAddress, _ client: HoldfastClient
    ) async throws(ClientError) -> (bytes: Bytes, next: Position) {
        let found = try await client.frames(at: position, byteCountMax: BackupLimits.pieceByteCount, of: server)
        if found.bytes.isEmpty, found.next == position { throw .unreachable("\(server) is not as far yet") }
        return found
    }

    private static func answer(_ failure: ClientError) -> BackupRound.Answer {
        switch failure {
        case .refused(let problem) where problem.code == "NO_SUCH_FRAME": .noSuchFrame
        case .trimmed: .trimmed
        default: .notNow
        }
    }

    /// Asks a server that is new to this run, or was turned to, of which generation it is by now.
    ///
    /// - Throws: ``ClientError/unreachable(_:)`` also for one whose frames do not count here; of several, it is left out
    ///   from now on.
    private func check(_ server: ServerAddress) async throws(ClientError) {
        guard !self.state.withLock({ $0.isKnown }) else { return }
        let document = try await self.client.segments(of: server)
        let isGood = self.state.withLock { state in
            guard let outline = state.outline else { return true }
            let standing = outline.standing(of: document.generation)
            let isOfCluster = ClusterID(document.cluster) == outline.cluster
            if isOfCluster, standing == .newer { state.isOvertaken = true }
            state.isKnown = isOfCluster && standing == .same
            if state.isKnown {
                state.node = NodeID(document.node)
            } else if state.servers.count > 1 {
                state.servers.remove(at: state.place)
                state.place %= state.servers.count
            }
            return state.isKnown
        }
        guard !isGood else { return }
        let words = "\(server) is of another cluster, or of another generation, than this backup"
        self.console.note(words)
        throw .unreachable(words)
    }

    private func checkGeneration() throws(CommandFailure) {
        guard self.state.withLock({ $0.isOvertaken }) else { return }
        throw CommandFailure(
            .refused, "the cluster gave up a part of its log while it was copied (recover-quorum)",
            next: BackupRun.goesOn)
    }

    private func turn(from server: ServerAddress, _ failure: ClientError) {
        let next: ServerAddress? = self.state.withLock { state in
            state.isKnown = false
            guard state.servers.count > 1 else { return nil }
            state.place = (state.place + 1) % state.servers.count
            return state.server
        }
        guard let next else { return }
        if Self.isDamage(failure) { self.console.note("\(server): \(failure); going on with \(next)") }
    }

    private static func isDamage(_ failure: ClientError) -> Bool {
        if case .refused(let problem) = failure { problem.code == "DAMAGED" } else { false }
    }

    private static func mayPass(_ failure: ClientError) -> Bool {
        switch failure {
        // Another node may have trimmed less.
        case .unreachable, .trimmed: true
        case .refused(let problem): [429, 503].contains(problem.status)
        case .untrusted, .noClientPort, .outcomeUnknown, .notByAll, .ended, .badAnswer: false
        }
    }

    private static func failure(_ error: ClientError, at server: ServerAddress) -> CommandFailure {
        switch error {
        case .refused(let problem) where problem.code == "DAMAGED":
            CommandFailure(
                .damaged, "\(server): \(error)",
                next: "name other nodes, too: --server A,B,C; or wait until this one has repaired itself. "
                    + BackupRun.goesOn)
        case .trimmed:
            CommandFailure(
                .refused, "the log was trimmed while it was copied: what comes next in the backup is gone",
                next: BackupRun.anew)
        case .unreachable(let reason):
            CommandFailure(.unreachable, "no node gives what comes next: \(reason)", next: BackupRun.goesOn)
        default: CommandFailure(error)
        }
    }
}
