import Certificates
import Foundation
import LogModel
import Testing

@Suite struct CertificateAuthorityTests {
    private static let day: TimeInterval = 86_400

    private func authority(_ cluster: String = "prod") throws -> CertificateAuthority {
        let made = try CertificateAuthority.make(cluster: cluster, validFor: 10 * Self.day)
        return try CertificateAuthority(certificate: made.certificate, key: made.key)
    }

    @Test func `No authority is made whose certificates nobody could read`() {
        for cluster in ["", "a b", "prod/1", String(repeating: "x", count: 65)] {
            #expect(throws: CertificateError.badName(cluster)) {
                try CertificateAuthority.make(cluster: cluster, validFor: Self.day)
            }
        }
    }

    @Test func `A node's certificate says who it is and where, and serves both ways`() throws {
        let authority = try self.authority()
        let now = Date(timeIntervalSince1970: 1_800_000_000)
        let issued = try authority.issue(
            .node(NodeID(3), cluster: "prod"), hosts: ["n3.example", "10.0.0.3", "::1"], validFor: Self.day, from: now)
        let facts = try CertificateFacts(pem: issued.certificate)
        #expect(facts.name == .node(NodeID(3), cluster: "prod"))
        #expect(facts.hosts == ["n3.example", "10.0.0.3", "::1"])
        #expect(facts.isForServers && facts.isForClients)
        #expect(facts.validUntil == now + Self.day)
        #expect(facts.validFrom < now)
        #expect(facts.isSigned(byOneOf: [authority.facts]))
    }

    @Test func `A client's certificate is not for servers`() throws {
        let issued = try self.authority().issue(
            .client("billing", cluster: "prod"), hosts: [], validFor: Self.day)
        let facts = try CertificateFacts(pem: issued.certificate)
        #expect(facts.isForClients && !facts.isForServers)
        #expect(facts.holder == "client billing of prod")
    }

    @Test func `Another authority of the same name has not signed it`() throws {
        let issued = try self.authority().issue(.node(NodeID(1), cluster: "prod"), hosts: [], validFor: Self.day)
        let facts = try CertificateFacts(pem: issued.certificate)
        #expect(!facts.isSigned(byOneOf: [try self.authority().facts]))
    }

    @Test func `A key of another certificate, and a certificate that signs nothing, make no authority`() throws {
        let (one, other) = (
            try CertificateAuthority.make(cluster: "prod", validFor: Self.day),
            try CertificateAuthority.make(cluster: "prod", validFor: Self.day)
        )
        #expect(throws: CertificateError.otherKey) {
            try CertificateAuthority(certificate: one.certificate, key: other.key)
        }
        let node = try self.authority().issue(.node(NodeID(1), cluster: "prod"), hosts: [], validFor: Self.day)
        #expect(throws: CertificateError.noAuthority) {
            try CertificateAuthority(certificate: node.certificate, key: node.key)
        }
    }

    @Test(arguments: ["", "a b", "-host/", "a..b", "ünode"])
    func `What is no host is refused by name`(host: String) throws {
        let authority = try self.authority()
        #expect(throws: CertificateError.badHost(host)) {
            try authority.issue(.node(NodeID(1), cluster: "prod"), hosts: [host], validFor: Self.day)
        }
    }
}
