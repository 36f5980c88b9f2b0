import Certificates
import Foundation
import HoldfastClient

/// A directory of certificates and their keys, in PEM:
///
///     ca.pem, ca.key              who signs
///     n1.pem, n1.key              node 1
///     client-NAME.pem, ....key    a client
///
/// What is there is kept: a certificate that was replaced would be refused by whoever holds the old authority.
struct CertificateDirectory {
    var path: String

    struct Made: Encodable {
        var file: String
        /// `false`: it was there, and is good.
        var made: Bool
        var holder: String
        var validUntil: String
        /// Whose new files are, when not the writer's: for people.
        var notes: [String] = []

        private enum CodingKeys: String, CodingKey {
            case file, made, holder
            case validUntil = "valid_until"
        }

        init(_ file: String, _ facts: CertificateFacts, made: Bool) {
            self.file = file
            self.made = made
            self.holder = facts.holder
            self.validUntil = facts.validUntil.formatted(.iso8601)
        }
    }

    var authorityFile: String { self.file("ca") }
    func file(_ name: String) -> String { "\(self.path)/\(name).pem" }
    func key(_ name: String) -> String { "\(self.path)/\(name).key" }

    /// An authority for a cluster, unless there is one.
    func makeAuthority(cluster: String, days: Int, isForced: Bool) throws(CommandFailure) -> Made {
        guard CertificateName.isWord(cluster) else {
            throw CommandFailure(
                .usage, "\(cluster) is no name of a cluster: 1 to 64 letters, digits, dots, hyphens and underscores",
                next: "choose another: \(Invocation.command("certs", "ca", "--cluster", "prod"))")
        }
        if !isForced, Files.exists(self.authorityFile) {
            let facts = try self.facts(self.authorityFile)
            guard facts.name == .authority(cluster: cluster) else {
                throw self.kept(self.authorityFile, "is \(facts.holder)")
            }
            return Made(self.authorityFile, facts, made: false)
        }
        let issued: CertificateAuthority.Issued
        do { issued = try CertificateAuthority.make(cluster: cluster, validFor: Self.seconds(days)) } catch {
            throw CommandFailure(error, self.path)
        }
        return try self.write(issued, "ca")
    }

    /// A certificate that the directory's authority signs, unless there is one that does as well.
    ///
    /// - Parameter name: Gets the cluster's name.
    func issue(
        _ name: (String) -> CertificateName, hosts: [String], days: Int, isForced: Bool
    ) throws(CommandFailure) -> Made {
        guard let certificate = Files.text(self.authorityFile), let key = Files.text(self.key("ca")) else {
            throw CommandFailure(
                .refused, "there is no authority in \(self.path): ca.pem and ca.key",
                next: "make one: \(Invocation.command("certs", "ca", "--dir", self.path))")
        }
        let file: String
        let issued: CertificateAuthority.Issued
        do throws(CertificateError) {
            let authority = try CertificateAuthority(certificate: certificate, key: key)
            let name = name(authority.cluster)
            file = name.fileName
            if !isForced, Files.exists(self.file(file)) {
                return try self.kept(file, name, hosts, authority)
            }
            issued = try authority.issue(name, hosts: hosts, validFor: Self.seconds(days))
        } catch {
            throw CommandFailure(error, self.path)
        }
        return try self.write(issued, file)
    }

    /// Whether the one that is there does.
    private func kept(
        _ file: String, _ name: CertificateName, _ hosts: [String], _ authority: CertificateAuthority
    ) throws(CertificateError) -> Made {
        let path = self.file(file)
        let facts = try CertificateFacts(pem: Files.text(path) ?? "")
        let missing = hosts.filter { !facts.hosts.contains($0) }
        let reason: String? =
            if facts.name != name {
                "is that of \(facts.holder)"
            } else if !facts.isSigned(byOneOf: [authority.facts]) {
                "is not signed by \(self.authorityFile)"
            } else if facts.validUntil < Date() {
                "has expired"
            } else if !missing.isEmpty {
                "does not name \(missing.joined(separator: ", "))"
            } else {
                nil
            }
        if let reason { throw .refused("\(path) is there already, and \(reason)") }
        return Made(path, facts, made: false)
    }

    private func kept(_ path: String, _ what: String) -> CommandFailure {
        CommandFailure(
            .refused, "\(path) is there already, and \(what)", applied: .no,
            next: "name another --dir, or say --force: whoever trusts the old one refuses what the new one signs")
    }

    func facts(_ path: String) throws(CommandFailure) -> CertificateFacts {
        guard let text = Files.text(path) else {
            throw CommandFailure(
                .refused, "\(path) cannot be read",
                next: "name a certificate in PEM that is there, and that you may read: "
                    + Invocation.command("certs", "show", "certs/n1.pem"))
        }
        do { return try CertificateFacts(pem: text) } catch { throw CommandFailure(error, path) }
    }

    private func write(_ issued: CertificateAuthority.Issued, _ name: String) throws(CommandFailure) -> Made {
        let facts: CertificateFacts
        do { facts = try CertificateFacts(pem: issued.certificate) } catch { throw CommandFailure(error, self.path) }
        try Files.makeOwnedDirectory(self.path)
        let key = try FileReplacement.draft(issued.key, of: self.key(name), mode: 0o600)
        // Whoever checks who signed reads it, whatever user that is: there is no secret in it.
        let certificate = try FileReplacement.draft(issued.certificate, of: self.file(name), mode: 0o644)
        var made = Made(self.file(name), facts, made: true)
        made.notes = [key.note, certificate.note].compactMap { $0 }
        // The key first: a node that looks on finds both, or the old certificate with a key that is not its.
        try key.putInPlace()
        try certificate.putInPlace(after: self.key(name))
        return made
    }

    private static func seconds(_ days: Int) -> TimeInterval { TimeInterval(days) * 86_400 }
}

extension CertificateName {
    fileprivate var fileName: String {
        switch self {
        case .node(let node, _): "n\(node)"
        case .client(let name, _): "client-\(name)"
        case .authority: "ca"
        }
    }
}

extension CommandFailure {
    fileprivate init(_ error: CertificateError, _ path: String) {
        switch error {
        case .unreadable:
            self.init(
                .refused, "\(path) is no certificate, or no key, in PEM",
                next: "name another file or --dir, or make new ones: \(Invocation.command("certs", "--help"))")
        case .noAuthority:
            self.init(
                .refused, "ca.pem in \(path) signs for no cluster",
                next: "make one that does: \(Invocation.command("certs", "ca", "--dir", path, "--force"))")
        case .otherKey:
            self.init(
                .refused, "ca.key in \(path) is not the key of ca.pem", next: "put back the two that belong together")
        case .badName(let name):
            self.init(
                .usage, "\(name.debugDescription) is no name: 1 to 64 letters, digits, dots, hyphens and underscores",
                next: "choose another")
        case .badHost(let host):
            self.init(
                .usage, "\(host.debugDescription) is neither a host name nor an address",
                next: "say it as --host n1.example or --host 10.0.0.1")
        case .refused(let reason):
            self.init(.refused, reason, next: "--force replaces it; nothing was changed")
        }
    }
}
