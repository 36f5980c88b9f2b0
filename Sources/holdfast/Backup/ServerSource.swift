import HoldfastClient
import LogModel
import Synchronization

/// Nodes that run. Equal positions hold equal bytes on all of them, so any can go on where another has stopped.
final class ServerSource: BackupSource {
    private struct State {
        /// Those whose bytes count.
        var servers: [ServerAddress]
        /// Which of them is asked.
        var place = 0
        var node = NodeID(0)

        var server: ServerAddress { self.servers[self.place] }
    }

    private let client: HoldfastClient
    private let patienceMilliseconds: UInt64
    private let console: Console
    private let state: Mutex<State>

    private static let pauseMilliseconds: UInt64 = 100

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
        let (document, first) = try await self.asking { client, server throws(ClientError) in
            (try await client.segments(of: server), server)
        }
        var found = [(server: first, outline: try Self.outline(document, of: first))]
        for server in self.servers where server != first {
            guard let document = try? await self.client.segments(of: server) else { continue }
            let other = try Self.outline(document, of: server)
            guard other.cluster == found[0].outline.cluster else {
                throw CommandFailure(
                    .refused,
                    "\(first) is of cluster \(found[0].outline.cluster), and \(server) is of \(other.cluster)",
                    next: "name nodes of one cluster with --server")
            }
            found.append((server, other))
        }
        return self.agree(found)
    }

    /// Leaves out the nodes of an earlier generation: they may hold records that the cluster gave up (recover-quorum).
    private func agree(_ found: [(server: ServerAddress, outline: BackupOutline)]) -> BackupOutline {
        var outline = found[0].outline
        for (_, other) in found.dropFirst() {
            if other.generation > outline.generation {
                outline = other
            } else if other.generation == outline.generation {
                let first = min(outline.first, other.first)
                if other.commit > outline.commit { outline = other }
                outline.first = first
            }
        }
        let older = found.filter { $0.outline.generation < outline.generation }.map(\.server)
        let asked = found.first { $0.outline.generation == outline.generation } ?? found[0]
        self.state.withLock { state in
            state.servers.removeAll { older.contains($0) }
            state.place = state.servers.firstIndex(of: asked.server) ?? 0
            state.node = asked.outline.node
        }
        for server in older {
            self.console.note("\(server) is left out: it is of a generation before the cluster's last recovery")
        }
        return outline
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

    /// A server that has not committed so far yet is passed over, too.
    func frames(
        at position: Position
    ) async throws(CommandFailure) -> (bytes: Bytes, next: Position, node: NodeID) {
        let (bytes, next) = try await self.asking { client, server throws(ClientError) in
            let found = try await client.frames(at: position, byteCountMax: BackupLimits.pieceByteCount, of: server)
            if found.bytes.isEmpty, found.next == position { throw .unreachable("\(server) is not as far yet") }
            return found
        }
        return (bytes, next, self.state.withLock { $0.node })
    }

    /// Asks one server, and the others where it cannot give what was asked for; all of them again until the time is up.
    private func asking<Answer: Sendable>(
        _ ask: (HoldfastClient, ServerAddress) async throws(ClientError) -> Answer
    ) async throws(CommandFailure) -> Answer {
        let deadline = ContinuousClock.now + .milliseconds(self.patienceMilliseconds)
        var damage: CommandFailure?
        while true {
            var failure = CommandFailure(ClientError.unreachable("no server was given"))
            var trimmedCount = 0
            let count = self.servers.count
            for _ in 0..<count {
                let server = self.state.withLock { $0.server }
                do throws(ClientError) {
                    return try await ask(self.client, server)
                } catch {
                    failure = Self.failure(error, at: server)
                    guard Self.mayPass(error) || Self.isDamage(error) else { throw failure }
                    if Self.isDamage(error) { damage = failure }
                    if case .trimmed = error { trimmedCount += 1 }
                    await self.turn(from: server, error)
                }
            }
            // What all have trimmed does not come back.
            guard trimmedCount < count, ContinuousClock.now < deadline else { throw damage ?? failure }
            try? await Task.sleep(for: .milliseconds(Self.pauseMilliseconds))
        }
    }

    private func turn(from server: ServerAddress, _ failure: ClientError) async {
        let next: ServerAddress? = self.state.withLock { state in
            guard state.servers.count > 1 else { return nil }
            state.place = (state.place + 1) % state.servers.count
            return state.server
        }
        guard let next else { return }
        if Self.isDamage(failure) { self.console.note("\(server): \(failure); going on with \(next)") }
        if let document = try? await self.client.segments(of: next) {
            self.state.withLock { $0.node = NodeID(document.node) }
        }
    }

    private static func isDamage(_ failure: ClientError) -> Bool {
        if case .refused(let problem) = failure { problem.code == "DAMAGED" } else { false }
    }

    private static func mayPass(_ failure: ClientError) -> Bool {
        switch failure {
        // Another node may have trimmed less.
        case .unreachable, .trimmed: true
        case .refused(let problem): [429, 503].contains(problem.status)
        case .untrusted, .outcomeUnknown, .notByAll, .ended, .badAnswer: false
        }
    }

    private static func failure(_ error: ClientError, at server: ServerAddress) -> CommandFailure {
        switch error {
        case .refused(let problem) where problem.code == "DAMAGED":
            CommandFailure(
                .damaged, "\(server): \(error)",
                next: "name other nodes, too: --server A,B,C; or wait until this one has repaired itself. "
                    + BackupRun.goesOn)
        case .refused(let problem) where problem.code == "NO_SUCH_FRAME":
            CommandFailure(
                .refused,
                "\(server) has other frames than the backup, which ends with frames that no node has any more",
                next: BackupRun.anew)
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
