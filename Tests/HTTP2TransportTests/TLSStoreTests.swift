import Certificates
import Foundation
import HTTP2Transport
import LogModel
import TestSupport
import Testing

/// Certificates are taken as a whole, or refused by name.
@Suite struct TLSStoreTests {
    private static let name = CertificateName.node(NodeID(1), cluster: "test")

    /// A node's certificate that is good, then what becomes of it; what the reload says.
    private static func reload(
        _ change: (TestCertificates, TLSFiles) throws -> Void
    ) throws -> (TLSError?, store: TLSStore, files: TLSFiles) {
        let certificates = try TestCertificates()
        let files = try certificates.issue(Self.name, as: "n1")
        let store = try TLSStore(files, node: NodeID(1))
        let before = try #require(store.material.facts).certificate
        try change(certificates, files)
        do throws(TLSError) {
            try store.reload()
            return (nil, store, files)
        } catch {
            #expect(store.material.facts?.certificate == before, "the old one holds on")
            return (error, store, files)
        }
    }

    @Test func `The same files again are no change, a renewed certificate is one`() throws {
        let certificates = try TestCertificates()
        let store = try TLSStore(certificates.issue(Self.name, as: "n1"), node: NodeID(1))
        #expect(try !store.reload())
        try certificates.issue(Self.name, as: "n1")
        #expect(try store.reload())
        #expect(try !store.reload())
    }

    @Test func `A key of another certificate is refused`() throws {
        let (error, _, files) = try Self.reload { certificates, files in
            let other = try certificates.issue(Self.name, as: "other")
            try certificates.write(String(contentsOfFile: other.key ?? "", encoding: .utf8), "n1.key")
        }
        #expect(error == .otherKey(key: files.key ?? "", certificate: files.certificate ?? ""))
    }

    @Test func `Damaged and missing files are refused by name`() throws {
        let (damaged, _, files) = try Self.reload { certificates, _ in try certificates.write("nothing", "n1.pem") }
        #expect(damaged == .malformed(files.certificate ?? "", reason: "there is no certificate in it"))
        let (key, _, keyFiles) = try Self.reload { certificates, _ in try certificates.write("nothing", "n1.key") }
        #expect(key == .malformed(keyFiles.key ?? "", reason: "there is no private key in it"))
        let (missing, _, others) = try Self.reload { _, files in
            try FileManager.default.removeItem(atPath: files.authority ?? "")
        }
        guard case .unreadable(others.authority ?? "", _)? = missing else {
            Issue.record("\(String(describing: missing))")
            return
        }
    }

    @Test func `An expired one and one that is not valid yet are refused`() throws {
        let (expired, _, _) = try Self.reload { certificates, _ in
            try certificates.issue(Self.name, from: Date() - 200_000, as: "n1")
        }
        guard case .expired? = expired else {
            Issue.record("\(String(describing: expired))")
            return
        }
        let (early, _, _) = try Self.reload { certificates, _ in
            try certificates.issue(Self.name, from: Date() + 200_000, as: "n1")
        }
        guard case .notYetValid? = early else {
            Issue.record("\(String(describing: early))")
            return
        }
    }

    @Test func `A certificate that the trusted authority has not signed is refused`() throws {
        let others = try TestCertificates()
        let (error, _, files) = try Self.reload { certificates, _ in
            try certificates.issue(Self.name, as: "n1", by: others.authority)
        }
        #expect(
            error
                == .unknownSigner(
                    files.certificate ?? "", signer: others.authority.facts.subject, authority: files.authority ?? ""))
    }

    @Test func `A certificate of another node, cluster or of a client is refused`() throws {
        let (node, _, files) = try Self.reload { certificates, _ in
            try certificates.issue(.node(NodeID(2), cluster: "test"), as: "n1")
        }
        let path = files.certificate ?? ""
        #expect(node == .otherHolder(path, holder: "node 2 of test", before: "node 1"))
        let (cluster, _, clusterFiles) = try Self.reload { certificates, _ in
            try certificates.issue(.node(NodeID(1), cluster: "prod"), as: "n1")
        }
        #expect(
            cluster
                == .otherHolder(
                    clusterFiles.certificate ?? "", holder: "node 1 of prod", before: "node 1 of test"))
        let (client, _, clientFiles) = try Self.reload { certificates, _ in
            try certificates.issue(.client("x", cluster: "test"), as: "n1")
        }
        #expect(client == .noNode(clientFiles.certificate ?? "", holder: "client x of test"))
    }

    @Test func `Files that have changed are noticed once they rest`() throws {
        let certificates = try TestCertificates()
        let store = try TLSStore(certificates.issue(Self.name, as: "n1"), node: NodeID(1))
        #expect(!store.look())
        try certificates.issue(Self.name, as: "n1")
        #expect(!store.look(), "they may be on their way")
        #expect(store.look())
        try store.reload()
        #expect(!store.look())
    }
}
