import Certificates
import Foundation
import LogModel
import Testing

@testable import HoldfastNode

/// What is wrong with the files that a configuration names, found before a node starts with them.
@Suite struct ConfigurationFilesTests {
    /// A directory with an authority, and certificates as a test wants them.
    private struct Files {
        let directory: URL
        let authority: CertificateAuthority

        init() throws {
            self.directory = FileManager.default.temporaryDirectory.appending(
                path: "holdfast-files-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: self.directory, withIntermediateDirectories: true)
            let issued = try CertificateAuthority.make(cluster: "prod", validFor: 31_536_000)
            self.authority = try CertificateAuthority(certificate: issued.certificate, key: issued.key)
            try self.write(issued.certificate, "ca.crt")
            try self.issue(.node(NodeID(1), cluster: "prod"))
        }

        func end() { try? FileManager.default.removeItem(at: self.directory) }

        func write(_ text: String, _ name: String) throws {
            try text.write(to: self.directory.appending(path: name), atomically: true, encoding: .utf8)
        }

        func issue(
            _ name: CertificateName, validFor seconds: TimeInterval = 31_536_000, from start: Date = Date()
        ) throws {
            let issued = try self.authority.issue(name, hosts: ["n1"], validFor: seconds, from: start)
            try self.write(issued.certificate, "n1.crt")
            try self.write(issued.key, "n1.key")
        }

        func path(_ name: String) -> String { self.directory.appending(path: name).path }

        func report(tokens: String? = nil) -> ConfigurationReport {
            var flags: [ConfigurationKey: [String]] = [
                .nodeID: ["1"], .dataDirectory: ["/tmp/x"], .tlsCertificate: [self.path("n1.crt")],
                .tlsKey: [self.path("n1.key")], .tlsAuthority: [self.path("ca.crt")],
            ]
            if let tokens { flags[.tokens] = [tokens] }
            return ConfigurationReport(ConfigurationInput(flags: flags)).lookingIntoFiles()
        }
    }

    private func problems(_ change: (Files) throws -> Void) throws -> [String] {
        let files = try Files()
        defer { files.end() }
        #expect(files.report().problems.isEmpty && files.report().warnings.isEmpty)
        try change(files)
        return files.report().problems.map { $0.description.replacing(files.directory.path + "/", with: "") }
    }

    @Test func `a missing file is named, with the key that names it`() throws {
        for (name, key) in [("n1.crt", "tls.certificate"), ("n1.key", "tls.key"), ("ca.crt", "tls.ca")] {
            let problems = try self.problems { try FileManager.default.removeItem(atPath: $0.path(name)) }
            #expect(problems.count == 1)
            let flag = "--" + key.replacing(".", with: "-")
            #expect(problems.first?.hasPrefix("\(flag): \(key): \(name) cannot be read: ") == true, "\(problems)")
        }
    }

    @Test func `a key of another certificate, and what is no PEM, are refused`() throws {
        let other = try self.problems { files in
            let issued = try files.authority.issue(.node(NodeID(1), cluster: "prod"), hosts: [], validFor: 31_536_000)
            try files.write(issued.key, "n1.key")
        }
        #expect(other.first?.hasSuffix("tls.key: n1.key is not the key of n1.crt") == true, "\(other)")
        let garbage = try self.problems { try $0.write("garbage", "ca.crt") }
        #expect(garbage.first?.contains("tls.ca: ca.crt is not what it should be, in PEM") == true, "\(garbage)")
    }

    @Test func `an expired certificate, another node's, and one of an unknown signer are refused`() throws {
        let expired = try self.problems { files in
            try files.issue(.node(NodeID(1), cluster: "prod"), validFor: 3_600, from: Date() - 86_400)
        }
        #expect(expired.first?.contains("tls.certificate: n1.crt has expired, at ") == true, "\(expired)")
        let another = try self.problems { try $0.issue(.node(NodeID(2), cluster: "prod")) }
        #expect(
            another.first?.hasSuffix("n1.crt is that of node 2 of prod, and this is node 1") == true, "\(another)")
        let client = try self.problems { try $0.issue(.client("billing", cluster: "prod")) }
        #expect(client.first?.hasSuffix("and no node's certificate") == true, "\(client)")
        let foreign = try self.problems { files in
            try files.write(CertificateAuthority.make(cluster: "test", validFor: 31_536_000).certificate, "ca.crt")
        }
        #expect(foreign.first?.contains("ca.crt does not hold it") == true, "\(foreign)")
    }

    @Test func `a certificate that ends soon, and one that names another cluster than its authority, are unwise`()
        throws
    {
        let files = try Files()
        defer { files.end() }
        try files.issue(.node(NodeID(1), cluster: "prod"), validFor: 20 * 86_400)
        let ending = files.report()
        #expect(ending.problems.isEmpty && ending.warnings.count == 1, "\(ending.warnings)")
        guard case .certificateEnds("node 1 of prod", _) = ending.warnings.first else {
            Issue.record("\(ending.warnings)")
            return
        }
        try files.issue(.node(NodeID(1), cluster: "test"))
        let other = files.report()
        #expect(other.problems.isEmpty)
        #expect(other.warnings == [.otherAuthority("node 1 of test", authority: "the authority of prod")])
    }

    @Test func `a token file that is not there, or says what is no token, is refused`() throws {
        let files = try Files()
        defer { files.end() }
        let missing = files.report(tokens: files.path("tokens")).problems.map(\.description)
        #expect(missing.count == 1 && missing[0].contains("tokens cannot be read: "), "\(missing)")
        try files.write("nonsense\n", "tokens")
        let malformed = files.report(tokens: files.path("tokens")).problems.map(\.description)
        #expect(malformed.count == 1 && malformed[0].contains("tokens:1: this is no token"), "\(malformed)")
    }
}
