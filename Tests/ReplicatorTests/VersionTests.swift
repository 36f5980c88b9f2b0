import HTTP2Transport
import HTTPTypes
import LogModel
import Logging
import NIOCore
import NIOPosix
import ReplicaCore
import SegmentFormat
import Synchronization
import Testing
import WireFormat

@testable import Replicator

@Suite struct VersionTests {
    @Test(.timeLimit(.minutes(1)))
    func `a leader of a later protocol is refused by name, once, and the cluster goes on`() async throws {
        let journal = WarningLog()
        let group = try await ReplicatorGroup { configuration in
            configuration.logger = Logger(label: "test") { _ in journal }
        }
        do {
            let leader = try await group.leader()
            let status = await leader.status()
            let cluster = try #require(status.cluster)
            for _ in 0..<3 { try await Self.greet(leader, of: cluster, version: WireLimits.version + 1) }
            try await group.until { _ in !journal.lines.isEmpty }
            #expect(
                journal.lines.filter { $0.contains("of the peer protocol") } == [
                    "a peer speaks another version of the peer protocol"
                ])
            // Its term, the highest there is, counts for nothing.
            let outcome = try await leader.append(Submission(try .records([Record("still here")])))
            #expect(outcome.term == status.term)
        } catch { Issue.record(error) }
        await group.end()
    }

    @Test(.timeLimit(.minutes(1)), arguments: ["vote", "pulse", "read", "transfer", "replicate", "greet", "refuse"])
    func `no request of a later protocol is read, and whoever asked learns the version`(kind: String) async throws {
        let group = try await ReplicatorGroup()
        do {
            let leader = try await group.leader()
            let cluster = try #require(await leader.status().cluster)
            for (version, isTaken) in [("2", false), ("x", false), ("1", true), (nil, true)] {
                // A vote or a read that nobody asks for would be waited for.
                if isTaken, kind == "vote" || kind == "read" { continue }
                let head = try await Self.ask("/peer/v1/\(kind)", of: leader, cluster, version: version)
                #expect(head.status == (isTaken ? .ok : .badRequest), "\(version ?? "none")")
                #expect(head.headerFields[.holdfastProtocol] == "1")
            }
        } catch { Issue.record(error) }
        await group.end()
    }

    /// Opens a stream as node 2, says nothing, and waits for its end.
    private static func ask(
        _ path: String, of node: Replicator, _ cluster: ClusterID, version: String?
    ) async throws -> HTTPResponse {
        let client = HTTP2Client(
            on: MultiThreadedEventLoopGroup.singleton.next(),
            logger: Logger(label: "x") { _ in SwiftLogNoOpLogHandler() })
        let member = Member(node: NodeID(2), incarnation: Incarnation(7))
        let start = MemberStart(member: member, generation: 1, starts: 1, lives: [Life(1)])
        var head = HTTPRequest(
            method: .post, scheme: "http", authority: "peer", path: path,
            headerFields: [.holdfastCluster: "\(cluster)", .holdfastStart: start.fieldText])
        head.headerFields[.holdfastProtocol] = version
        let address = HTTP2Address(host: "127.0.0.1", port: node.peerPort)
        let answer = try await client.execute(head, to: address, timeout: .seconds(5), bodyByteCountMax: 1 << 10)
        await client.shutdown(grace: .zero)
        return answer.0
    }

    /// Opens `replicate` as node 2 would in a later build, and waits for the end of the stream.
    private static func greet(_ node: Replicator, of cluster: ClusterID, version: UInt16) async throws {
        let client = HTTP2Client(
            on: MultiThreadedEventLoopGroup.singleton.next(),
            logger: Logger(label: "x") { _ in SwiftLogNoOpLogHandler() })
        let member = Member(node: NodeID(2), incarnation: Incarnation(7))
        let hello = ReplicateHello(version: version, cluster: cluster, term: Term(.max), leader: member)
        let start = MemberStart(member: member, generation: 1, starts: 1, lives: [Life(1)])
        let head = HTTPRequest(
            method: .post, scheme: "http", authority: "peer", path: "/peer/v1/replicate",
            headerFields: [.holdfastCluster: "\(cluster)", .holdfastStart: start.fieldText])
        // The stream is reset: that is no answer.
        _ = try? await client.execute(
            head, body: ByteBuffer(bytes: PeerMessage.hello(hello).encoded()),
            to: HTTP2Address(host: "127.0.0.1", port: node.peerPort), timeout: .seconds(5), bodyByteCountMax: 1 << 10)
        await client.shutdown(grace: .zero)
    }
}

/// Remembers warnings.
private final class WarningLog: LogHandler {
    private let all = Mutex<[String]>([])
    var lines: [String] { self.all.withLock { $0 } }
    var logLevel: Logger.Level {
        get { .warning }
        set {}
    }
    var metadata: Logger.Metadata {
        get { [:] }
        set {}
    }
    subscript(metadataKey _: String) -> Logger.Metadata.Value? {
        get { nil }
        set {}
    }
    func log(event: LogEvent) { self.all.withLock { $0.append("\(event.message)") } }
}
