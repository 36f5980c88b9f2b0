import HTTP2Transport
import HTTPTypes
import LogModel
import Logging
import NIOCore
import NIOPosix
import Synchronization
import TestSupport
import Testing
import WireFormat

@testable import Replicator

/// Answers a leader in a member's name, and welcomes its ranges in a version that the test chooses.
private final class ToldFollower: Sendable {
    struct State {
        var stated: UInt16
        /// How the streams ended that were welcomed.
        var endings: [HTTP2CloseReason] = []
    }

    let start: MemberStart
    let welcome: ReplicateWelcome
    let state: Mutex<State>

    init(_ start: MemberStart, welcome: ReplicateWelcome, stated: UInt16) {
        self.start = start
        self.welcome = welcome
        self.state = Mutex(State(stated: stated))
    }

    var endings: [HTTP2CloseReason] { self.state.withLock { $0.endings } }
}

private final class ToldStream: HTTP2ServerHandler {
    private let follower: ToldFollower
    private var isWelcomed = false

    init(_ follower: ToldFollower) { self.follower = follower }

    func received(head: HTTPRequest, on stream: HTTP2Stream) {
        let answer = HTTPResponse(
            status: .ok,
            headerFields: [
                .holdfastStart: self.follower.start.fieldText, .holdfastProtocol: "\(PeerProtocol.own)",
            ])
        stream.send(head: answer, endStream: false)
        guard head.path == "/peer/v1/replicate" else { return }
        self.isWelcomed = true
        let stated = self.follower.state.withLock { $0.stated }
        stream.send(ByteBuffer(bytes: PeerMessage.welcome(self.follower.welcome).encoded(version: stated)))
    }

    func received(body: ByteBuffer, on stream: HTTP2Stream) {}

    func receivedEnd(on stream: HTTP2Stream) { stream.finish() }

    func closed(_ reason: HTTP2CloseReason, on stream: HTTP2Stream) {
        if self.isWelcomed { self.follower.state.withLock { $0.endings.append(reason) } }
    }
}

/// What a leader does with a welcome in another version than the one on which it and the follower agreed.
@Suite(.timeLimit(.minutes(1))) struct WelcomeTests {
    private static let agreed = PeerProtocol.own.highest

    @Test(arguments: [PeerProtocol.own.highest - 1, PeerProtocol.own.highest + 1])
    func `a welcome that states another version is cut off, told of once, and counts for nothing`(
        _ stated: UInt16
    ) async throws {
        let journals = Dictionary(uniqueKeysWithValues: (1...3).map { (NodeID($0), MemoryLog(level: .warning)) })
        let group = try await ReplicatorGroup { configuration in
            guard let journal = journals[configuration.node] else { return }
            configuration.logger = Logger(label: "test") { _ in journal }
        }
        do { try await Self.welcome(stating: stated, group, journals) } catch { Issue.record(error) }
        await group.end()
    }

    /// Whoever leads meanwhile: a busy machine may have nodes elect another one.
    private static func welcome(
        stating stated: UInt16, _ group: ReplicatorGroup, _ journals: [NodeID: MemoryLog]
    ) async throws {
        let leader = try await group.leader()
        let node = try #require(group.nodes.first { $0.value !== leader }?.key)
        let peer = try #require(leader.configuredPeers.first { $0.node == node })
        let incarnation = try #require(await group.nodes[node]?.status().incarnation)
        await group.stop(node)
        let before = await leader.status()
        let member = Member(node: node, incarnation: incarnation)
        // A refusal of which the term alone would count: the leader's is long over.
        let follower = ToldFollower(
            MemberStart(member: member, generation: before.generation, starts: 1_000, lives: [Life(7)]),
            welcome: ReplicateWelcome(
                term: Term(before.term.rawValue + 1_000), follower: member, refusal: .staleTerm, tail: .zero,
                tailChecksum: 0, first: .zero, committed: .zero, persisted: .zero, terms: []),
            stated: stated)
        let server = try await HTTP2Server.bind(
            host: peer.peerHost, port: peer.peerPort, on: MultiThreadedEventLoopGroup.singleton.next(), limits: .peer,
            logger: Logger(label: "x") { _ in SwiftLogNoOpLogHandler() }
        ) { _ in ToldStream(follower) }
        do {
            try await group.until { _ in follower.endings.count >= 3 }
            #expect(follower.endings.allSatisfy { $0 == .reset(.cancel) }, "\(follower.endings)")
            let entries = journals.values.map { $0.take().filter { $0.message.contains("states another version") } }
            let told = entries.filter { !$0.isEmpty }
            #expect(!told.isEmpty && told.allSatisfy { $0.count == 1 }, "by each leader once: \(told)")
            for entry in told.joined() {
                #expect(entry.message.hasSuffix("of the peer protocol than its stream's; the stream ends"))
                #expect(entry.metadata["peer"] == "\(node)")
                let versions = "the message states version \(stated), the stream's request \(Self.agreed)"
                #expect(entry.metadata["detail"] == versions)
            }
            for status in await Self.statuses(group) {
                #expect(status.term < follower.welcome.term)
                // What it speaks is spoken here.
                #expect(status.peers.allSatisfy { $0.otherProtocol == nil })
            }
            // In the version that was agreed on, it counts.
            follower.state.withLock { $0.stated = Self.agreed }
            try await group.until { await Self.statuses($0).contains { $0.term >= follower.welcome.term } }
        } catch { Issue.record(error) }
        await server.shutdown(grace: .zero)
    }

    private static func statuses(_ group: ReplicatorGroup) async -> [ReplicatorStatus] {
        var statuses: [ReplicatorStatus] = []
        for node in group.nodes.values { statuses.append(await node.status()) }
        return statuses
    }
}
