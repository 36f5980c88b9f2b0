import Certificates
import HTTP2Transport
import HTTPTypes
import LogModel
import Logging
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
        let certificates = try TestCertificates()
        let stores = try [1, 2, 3].map { try certificates.node($0) }
        let journal = MemoryLog(level: .warning)
        let group = try await ReplicatorGroup { configuration in
            configuration.tls = stores[Int(configuration.node.rawValue) - 1]
            configuration.logger = Logger(label: "test") { _ in journal }
        }
        do {
            let leader = try await group.leader()
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
        } catch { Issue.record(error) }
        await group.end()
    }
}
