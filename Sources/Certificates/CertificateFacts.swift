import Foundation
import SwiftASN1
import X509

/// What a certificate says, as far as anybody here asks.
package struct CertificateFacts: Sendable {
    package let certificate: Certificate
    /// `nil` for one that was not made for Holdfast.
    package let name: CertificateName?
    /// Host names and addresses.
    package let hosts: [String]
    package let isForServers: Bool
    package let isForClients: Bool

    /// - Throws: ``CertificateError/unreadable(_:)``.
    package init(der: [UInt8]) throws(CertificateError) {
        do { self.init(try Certificate(derEncoded: der)) } catch { throw .unreadable("\(error)") }
    }

    /// The first certificate of a PEM text.
    ///
    /// - Throws: ``CertificateError/unreadable(_:)``.
    package init(pem: String) throws(CertificateError) {
        do { self.init(try Certificate(pemEncoded: pem)) } catch { throw .unreadable("\(error)") }
    }

    init(_ certificate: Certificate) {
        self.certificate = certificate
        var name: CertificateName?
        var hosts: [String] = []
        for general in (try? certificate.extensions.subjectAlternativeNames) ?? SubjectAlternativeNames() {
            switch general {
            case .uniformResourceIdentifier(let uri): name = name ?? CertificateName(uri: uri)
            case .dnsName(let host): hosts.append(host)
            case .ipAddress(let bytes): if let text = Self.address(bytes.bytes) { hosts.append(text) }
            default: break
            }
        }
        self.name = name
        self.hosts = hosts
        let usages = try? certificate.extensions.extendedKeyUsage
        self.isForServers = usages?.contains(.serverAuth) ?? true
        self.isForClients = usages?.contains(.clientAuth) ?? true
    }

    package var subject: String { "\(self.certificate.subject)" }
    package var issuer: String { "\(self.certificate.issuer)" }
    package var validFrom: Date { self.certificate.notValidBefore }
    package var validUntil: Date { self.certificate.notValidAfter }

    /// Whom it names, for people.
    package var holder: String { self.name?.description ?? self.subject }

    /// Whether one of `authorities` has signed it.
    package func isSigned(byOneOf authorities: [CertificateFacts]) -> Bool {
        authorities.contains {
            $0.certificate.subject == self.certificate.issuer
                && $0.certificate.publicKey.isValidSignature(self.certificate.signature, for: self.certificate)
        }
    }

    private static func address(_ bytes: ArraySlice<UInt8>) -> String? {
        let bytes = Array(bytes)
        let family = bytes.count == 4 ? AF_INET : AF_INET6
        guard bytes.count == 4 || bytes.count == 16 else { return nil }
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        guard inet_ntop(family, bytes, &text, socklen_t(text.count)) != nil else { return nil }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

/// Why a certificate was not read or made; nothing was written.
package enum CertificateError: Error, Hashable, Sendable {
    /// It is no certificate, or no key, in PEM.
    case unreadable(String)
    /// It signs for no cluster: `certs ca` makes one that does.
    case noAuthority
    /// The key is not the certificate's.
    case otherKey
    /// No name for a cluster or a client: ``CertificateName/isWord(_:)``.
    case badName(String)
    /// Neither a host name nor an address.
    case badHost(String)
    case refused(String)
}
