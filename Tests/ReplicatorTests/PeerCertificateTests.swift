import Certificates
import HTTP2Transport
import HTTPTypes
import LogModel
import Logging
import NIOCore
import NIOPosix
import Synchronization
import TestSupport
import Testing

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
            var answers: [HTTPResponse.Status] = []
            for store in [stores[Int(second.rawValue) - 1], third, billing] {
                var greeting = PeerGreeting(cluster: cluster, node: second)
                greeting.tls = TLSCalling(store, expecting: .node(own))
                answers.append(try await greeting.open(on: leader).status)
            }
            #expect(answers == [.ok, .forbidden, .forbidden])
        } catch { Issue.record(error) }
        await group.end()
    }

    @Test(.timeLimit(.minutes(1)))
    func `whose certificate it is is asked before which version is spoken`() async throws {
        try await Self.secured { leader, group, journal, stores in
            let status = await leader.status()
            let cluster = try #require(status.cluster)
            let own = try #require(status.leader)
            let others = [1, 2, 3].map { NodeID($0) }.filter { $0 != own }
            var greeting = PeerGreeting(cluster: cluster, node: others[0], version: "2")
            greeting.tls = TLSCalling(stores[Int(others[1].rawValue) - 1], expecting: .node(own))
            #expect(try await greeting.open(on: leader).status == .forbidden)
            #expect(!journal.messages.contains { $0.contains("of the peer protocol") })
            greeting.tls = TLSCalling(stores[Int(others[0].rawValue) - 1], expecting: .node(own))
            #expect(try await greeting.open(on: leader).status == .badRequest)
            #expect(journal.messages.contains { $0.contains("of the peer protocol") })
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `an address where handshakes only end is told of once, and a node that just dies is not`() async throws {
        try await Self.secured { leader, group, journal, _ in
            let node = try #require(group.nodes.first { $0.value !== leader }?.key)
            let peer = try #require(leader.configuredPeers.first { $0.node == node })
            await group.stop(node)
            let counter = ConnectionCounter()
            let mute = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .childChannelInitializer { channel in
                    counter.count.add(1, ordering: .relaxed)
                    return channel.close()
                }
                .bind(host: peer.peerHost, port: peer.peerPort).get()
            let words = "no connection to a peer"
            try await group.until { _ in journal.messages.count { $0 == words } == 2 }
            #expect(counter.count.load(ordering: .relaxed) >= 20, "ten times by each of the others")
            for entry in journal.take().filter({ $0.message == words }) {
                #expect(entry.metadata["peer"] == "\(node)")
                #expect(entry.metadata["hint"]?.contains("leaves their TLS handshakes") == true, "\(entry.metadata)")
            }
            let before = counter.count.load(ordering: .relaxed)
            try await group.until { _ in counter.count.load(ordering: .relaxed) >= before + 4 }
            #expect(!journal.messages.contains(words))
            try await mute.close()
        }
    }

    /// A group of three that has a leader, by TLS, what its nodes warn of, and their certificates by number.
    private static func secured(
        _ body: (Replicator, ReplicatorGroup, MemoryLog, [TLSStore]) async throws -> Void
    ) async throws {
        let certificates = try TestCertificates()
        let stores = try [1, 2, 3].map { try certificates.node($0) }
        let journal = MemoryLog(level: .warning)
        let group = try await ReplicatorGroup { configuration in
            configuration.tls = stores[Int(configuration.node.rawValue) - 1]
            configuration.logger = Logger(label: "test") { _ in journal }
        }
        do { try await body(try await group.leader(), group, journal, stores) } catch { Issue.record(error) }
        await group.end()
    }
}

private final class ConnectionCounter: Sendable {
    let count = Atomic(0)
}
