import HoldfastClient
import LogModel
import Synchronization

/// Nodes that run. Equal positions hold equal bytes on all of them, so any can go on where another has stopped.
final class ServerSource: BackupSource {
    private struct State {
        /// Which of the servers is asked.
        var place = 0
        var node = NodeID(0)
    }

    private let client: HoldfastClient
    private let servers: [ServerAddress]
    private let patienceMilliseconds: UInt64
    private let console: Console
    private let state = Mutex(State())

    private static let pauseMilliseconds: UInt64 = 100

    init(client: HoldfastClient, servers: [ServerAddress], patienceMilliseconds: UInt64, console: Console) {
        self.client = client
        self.servers = servers
        self.patienceMilliseconds = patienceMilliseconds
        self.console = console
    }

    /// Of the node that has committed most, among those that answer: the backup may have more already than another.
    func outline() async throws(CommandFailure) -> BackupOutline {
        let (document, first) = try await self.asking { client, server throws(ClientError) in
            (try await client.segments(of: server), server)
        }
        var outline = try Self.outline(document, of: first)
        self.state.withLock { $0.node = outline.node }
        for server in self.servers where server != first {
            guard let document = try? await self.client.segments(of: server) else { continue }
            let other = try Self.outline(document, of: server)
            guard other.cluster == outline.cluster else {
                throw CommandFailure(
                    .refused, "\(first) is of cluster \(outline.cluster), and \(server) is of \(other.cluster)",
                    next: "name nodes of one cluster with --server")
            }
            if other.commit > outline.commit { outline = other }
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
            for _ in self.servers {
                let server = self.servers[self.state.withLock { $0.place }]
                do throws(ClientError) {
                    return try await ask(self.client, server)
                } catch {
                    failure = Self.failure(error, at: server)
                    guard Self.mayPass(error) || Self.isDamage(error) else { throw failure }
                    if Self.isDamage(error) { damage = failure }
                    await self.turn(from: server, error)
                }
            }
            guard ContinuousClock.now < deadline else { throw damage ?? failure }
            try? await Task.sleep(for: .milliseconds(Self.pauseMilliseconds))
        }
    }

    private func turn(from server: ServerAddress, _ failure: ClientError) async {
        guard self.servers.count > 1 else { return }
        self.state.withLock { $0.place = ($0.place + 1) % self.servers.count }
        let next = self.servers[self.state.withLock { $0.place }]
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
        case .unreachable: true
        case .refused(let problem): [429, 503].contains(problem.status)
        case .trimmed, .untrusted, .outcomeUnknown, .notByAll, .ended, .badAnswer: false
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
