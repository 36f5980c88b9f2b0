import Certificates
import Foundation
import HTTP2Transport
import LogModel

/// Certificates in a directory that goes with this value.
package final class TestCertificates {
    private static let day: TimeInterval = 86_400
    package let directory: URL
    package let authority: CertificateAuthority

    package init(cluster: String = "test") throws {
        self.directory = FileManager.default.temporaryDirectory.appending(path: "holdfast-tls-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: self.directory, withIntermediateDirectories: true)
        let made = try CertificateAuthority.make(cluster: cluster, validFor: Self.day)
        self.authority = try CertificateAuthority(certificate: made.certificate, key: made.key)
        try self.write(made.certificate, "ca.pem")
    }

    deinit { try? FileManager.default.removeItem(at: self.directory) }

    package func path(_ name: String) -> String { self.directory.appending(path: name).path }

    package func write(_ text: String, _ name: String) throws {
        try text.write(toFile: self.path(name), atomically: true, encoding: .utf8)
    }

    /// Files of a new certificate; `ca.pem` is whom its holder trusts.
    ///
    /// - Parameter days: When it begins to be valid, and for how long.
    @discardableResult
    package func issue(
        _ name: CertificateName, hosts: [String] = ["127.0.0.1", "localhost"], from start: Date = Date(),
        days: Double = 1, as file: String? = nil, by authority: CertificateAuthority? = nil
    ) throws -> TLSFiles {
        let issued = try (authority ?? self.authority).issue(
            name, hosts: hosts, validFor: days * Self.day, from: start)
        let file = file ?? name.description.replacing(" ", with: "-")
        try self.write(issued.certificate, "\(file).pem")
        try self.write(issued.key, "\(file).key")
        return TLSFiles(
            certificate: self.path("\(file).pem"), key: self.path("\(file).key"), authority: self.path("ca.pem"))
    }

    package func node(_ number: UInt32, cluster: String = "test") throws -> TLSStore {
        try TLSStore(self.issue(.node(NodeID(number), cluster: cluster)), node: NodeID(number))
    }

    /// Shows no certificate, and trusts this authority.
    package var anonymous: TLSStore {
        get throws { try TLSStore(TLSFiles(authority: self.path("ca.pem"))) }
    }
}
