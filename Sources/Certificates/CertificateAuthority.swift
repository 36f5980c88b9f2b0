import Crypto
import Foundation
import LogModel
import SwiftASN1
import X509

/// Signs the certificates of one cluster's nodes and clients: for development, and for clusters without a PKI of their own.
package struct CertificateAuthority: Sendable {
    package let facts: CertificateFacts
    package let cluster: String
    private let key: Certificate.PrivateKey

    /// A certificate and its key, in PEM.
    package struct Issued: Sendable {
        package var certificate: String
        package var key: String
    }

    /// Clocks of other machines may be behind by so much.
    private static let backdatingSeconds: TimeInterval = 300

    /// A new one, with a P-256 key of its own.
    ///
    /// - Throws: ``CertificateError/badName(_:)``, ``CertificateError/refused(_:)``.
    package static func make(
        cluster: String, validFor seconds: TimeInterval, now: Date = Date()
    ) throws(CertificateError) -> Issued {
        guard CertificateName.isWord(cluster) else { throw .badName(cluster) }
        let key = Certificate.PrivateKey(P256.Signing.PrivateKey())
        do {
            let subject = try DistinguishedName {
                OrganizationName("Holdfast")
                CommonName("\(cluster) authority")
            }
            let extensions = try Certificate.Extensions {
                Critical(BasicConstraints.isCertificateAuthority(maxPathLength: 0))
                Critical(KeyUsage(keyCertSign: true, cRLSign: true))
                SubjectKeyIdentifier(hash: key.publicKey)
                SubjectAlternativeNames([
                    .uniformResourceIdentifier(CertificateName.authority(cluster: cluster).uri)
                ])
            }
            let certificate = try Certificate(
                version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: key.publicKey,
                notValidBefore: now - Self.backdatingSeconds, notValidAfter: now + seconds, issuer: subject,
                subject: subject, extensions: extensions, issuerPrivateKey: key)
            return try Issued(certificate, key)
        } catch {
            throw .refused("\(error)")
        }
    }

    /// One that was made before.
    ///
    /// - Throws: ``CertificateError``.
    package init(certificate: String, key: String) throws(CertificateError) {
        self.facts = try CertificateFacts(pem: certificate)
        guard case .authority(let cluster) = self.facts.name else { throw .noAuthority }
        self.cluster = cluster
        do { self.key = try Certificate.PrivateKey(pemEncoded: key) } catch { throw .unreadable("\(error)") }
        guard self.key.publicKey == self.facts.certificate.publicKey else { throw .otherKey }
    }

    /// A certificate with a new key.
    ///
    /// - Parameters:
    ///   - name: A node's certificate is for servers and clients, since nodes are both; a client's for clients only.
    ///   - hosts: Names and addresses under which clients find a node.
    ///   - start: When it becomes valid, a few minutes less.
    /// - Throws: ``CertificateError/badHost(_:)``, ``CertificateError/refused(_:)``.
    package func issue(
        _ name: CertificateName, hosts: [String], validFor seconds: TimeInterval, from start: Date = Date()
    ) throws(CertificateError) -> Issued {
        var names: [GeneralName] = [.uniformResourceIdentifier(name.uri)]
        for host in hosts { names.append(try Self.generalName(host)) }
        let usages: [ExtendedKeyUsage.Usage] =
            if case .client = name { [.clientAuth] } else { [.serverAuth, .clientAuth] }
        let key = Certificate.PrivateKey(P256.Signing.PrivateKey())
        do {
            let extensions = try Certificate.Extensions {
                Critical(BasicConstraints.notCertificateAuthority)
                Critical(KeyUsage(digitalSignature: true))
                try ExtendedKeyUsage(usages)
                SubjectAlternativeNames(names)
                SubjectKeyIdentifier(hash: key.publicKey)
                AuthorityKeyIdentifier(
                    keyIdentifier: try self.facts.certificate.extensions.subjectKeyIdentifier?.keyIdentifier)
            }
            let certificate = try Certificate(
                version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: key.publicKey,
                notValidBefore: start - Self.backdatingSeconds, notValidAfter: start + seconds,
                issuer: self.facts.certificate.subject,
                subject: try DistinguishedName {
                    OrganizationName("Holdfast")
                    CommonName(name.description)
                }, extensions: extensions, issuerPrivateKey: self.key)
            return try Issued(certificate, key)
        } catch {
            throw .refused("\(error)")
        }
    }

    private static func generalName(_ host: String) throws(CertificateError) -> GeneralName {
        for (family, byteCount) in [(AF_INET, 4), (AF_INET6, 16)] {
            var bytes = [UInt8](repeating: 0, count: byteCount)
            if inet_pton(family, host, &bytes) == 1 { return .ipAddress(ASN1OctetString(contentBytes: bytes[...])) }
        }
        let labels = host.split(separator: ".", omittingEmptySubsequences: false)
        let isName = labels.allSatisfy { label in
            (1...63).contains(label.utf8.count)
                && label.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == "*") }
        }
        guard isName, host.utf8.count <= 253 else { throw .badHost(host) }
        return .dnsName(host)
    }
}

extension CertificateAuthority.Issued {
    fileprivate init(_ certificate: Certificate, _ key: Certificate.PrivateKey) throws {
        self.certificate = try certificate.serializeAsPEM().pemString + "\n"
        self.key = try key.serializeAsPEM().pemString + "\n"
    }
}
