import Certificates
import Foundation
import HTTP2Transport
import LogModel

/// Certificates in a directory that goes with this value.
final class TestCertificates {
    private static let day: TimeInterval = 86_400
    let directory: URL
    let authority: CertificateAuthority

    init(cluster: String = "test") throws {
        self.directory = FileManager.default.temporaryDirectory.appending(path: "holdfast-tls-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: self.directory, withIntermediateDirectories: true)
        let made = try CertificateAuthority.make(cluster: cluster, validFor: Self.day)
        self.authority = try CertificateAuthority(certificate: made.certificate, key: made.key)
        try self.write(made.certificate, "ca.pem")
    }

    deinit { try? FileManager.default.removeItem(at: self.directory) }

    func path(_ name: String) -> String { self.directory.appending(path: name).path }

    func write(_ text: String, _ name: String) throws {
        try text.write(toFile: self.path(name), atomically: true, encoding: .utf8)
    }

    /// Files of a new certificate; `ca.pem` is whom its holder trusts.
    ///
    /// - Parameter days: When it begins to be valid, and for how long.
    @discardableResult
    func issue(
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

    func node(_ number: UInt32, cluster: String = "test") throws -> TLSStore {
        try TLSStore(self.issue(.node(NodeID(number), cluster: cluster)), node: NodeID(number))
    }

    /// Shows no certificate, and trusts this authority.
    var anonymous: TLSStore {
        get throws { try TLSStore(TLSFiles(authority: self.path("ca.pem"))) }
    }
}
