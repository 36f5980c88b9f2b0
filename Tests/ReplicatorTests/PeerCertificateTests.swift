import Certificates
import HTTP2Transport
import HTTPTypes
import LogModel
import Logging
import NIOPosix
import ReplicaCore
import TestSupport
import Testing
import WireFormat

@testable import Replicator

@Suite struct PeerCertificateTests {
    @Test(.timeLimit(.minutes(1)))
    func `with TLS a node speaks for its own number, and a client for none`() async throws {
        let certificates = try TestCertificates()
        let stores = try [1, 2, 3].map { try certificates.node($0) }
        let billing = try TLSStore(certificates.issue(.client("billing", cluster: "test")))
        let group = try await ReplicatorGroup { $0.tls = stores[Int($0.node.rawValue) - 1] }
        do {
            let leader = try await group.leader()
            let status = await leader.status()
            let cluster = try #require(status.cluster)
            let own = try #require(status.leader)
            let others = [1, 2, 3].map { NodeID($0) }.filter { $0 != own }
            let (second, third) = (others[0], stores[Int(others[1].rawValue) - 1])
            let answers = [
                try await Self.greet(leader, own, cluster, as: second, with: stores[Int(second.rawValue) - 1]),
                try await Self.greet(leader, own, cluster, as: second, with: third),
                try await Self.greet(leader, own, cluster, as: second, with: billing),
            ]
            #expect(answers == [.ok, .forbidden, .forbidden])
        } catch { Issue.record(error) }
        await group.end()
    }

    /// Greets as a node with somebody's certificate.
    private static func greet(
        _ replicator: Replicator, _ node: NodeID, _ cluster: ClusterID, as other: NodeID, with store: TLSStore
    ) async throws -> HTTPResponse.Status {
        let client = HTTP2Client(
            on: MultiThreadedEventLoopGroup.singleton.next(), tls: TLSCalling(store, expecting: .node(node)),
            logger: Logger(label: "x") { _ in SwiftLogNoOpLogHandler() })
        let member = Member(node: other, incarnation: Incarnation(7))
        let start = MemberStart(member: member, generation: 1, starts: 1, lives: [Life(1)])
        let head = HTTPRequest(
            method: .post, scheme: "https", authority: "peer", path: "/peer/v1/greet",
            headerFields: [.holdfastCluster: "\(cluster)", .holdfastStart: start.fieldText])
        let address = HTTP2Address(host: "127.0.0.1", port: replicator.peerPort)
        defer { Task { await client.shutdown(grace: .zero) } }
        return try await client.execute(head, to: address, timeout: .seconds(5), bodyByteCountMax: 1 << 10).0.status
    }
}
