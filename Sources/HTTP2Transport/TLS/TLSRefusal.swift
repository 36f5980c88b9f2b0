import Certificates
import Foundation
import LogModel
import NIOCore
import NIOSSL

/// Why no connection stands, or why nothing on it is answered: by whose certificate, or by what was spoken.
package enum TLSRefusal: Error, Hashable, Sendable {
    // What this side finds wrong with the other's certificate.
    case noCertificate
    case unknownSigner(of: String, signer: String)
    case expired(String, at: Date)
    case notYetValid(String, from: Date)
    /// A client's certificate where a server is expected.
    case noServer(String)
    case otherHost(String, named: [String])
    /// A client, or somebody who is unknown here, where only nodes may speak.
    case noNode(String)
    case otherCluster(String, expected: String)
    case otherNode(NodeID, expected: NodeID)

    // What the other side says of this one's.
    case toldUnknownSigner
    case toldExpired
    case toldNoCertificate
    case toldBadCertificate

    /// Our own certificate, or whom we trust, cannot be read.
    case ownFiles(TLSError)

    // What is spoken.
    case plainText
    case oldVersion
    case noHTTP2
    case closed
    case failed(String)

    /// Whether it may be otherwise a moment later, without anybody's doing.
    package var mayPass: Bool {
        switch self {
        case .closed, .failed: true
        default: false
        }
    }

    /// What the handshake failed with.
    ///
    /// - Parameters:
    ///   - certificate: What the other side has shown.
    ///   - isClient: Whether it failed on the side that connects.
    init(_ error: any Error, certificate: NIOSSLCertificate?, host: String, isClient: Bool) {
        // The socket failed, and TLS did not come to say anything.
        if error is IOError {
            self = .closed
            return
        }
        let facts = (try? certificate?.toDERBytes()).flatMap { try? CertificateFacts(der: $0) }
        if let error = error as? NIOSSLExtraError, error == .failedToValidateHostname {
            self = .otherHost(host, named: facts?.hosts ?? [])
            return
        }
        let text = "\(error)"
        if let facts, text.contains("CERTIFICATE_VERIFY_FAILED") {
            self.init(unverified: facts, isClient: isClient)
            return
        }
        // BoringSSL's own words, in the order in which a longer one would hide a shorter one.
        let known: [(String, TLSRefusal)] = [
            ("PEER_DID_NOT_RETURN_A_CERTIFICATE", .noCertificate), ("ALERT_UNKNOWN_CA", .toldUnknownSigner),
            ("ALERT_CERTIFICATE_EXPIRED", .toldExpired), ("ALERT_CERTIFICATE_REQUIRED", .toldNoCertificate),
            ("ALERT_BAD_CERTIFICATE", .toldBadCertificate), ("ALERT_UNSUPPORTED_CERTIFICATE", .toldBadCertificate),
            ("ALERT_CERTIFICATE_UNKNOWN", .toldBadCertificate), ("WRONG_VERSION_NUMBER", .plainText),
            ("HTTP_REQUEST", .plainText), ("UNSUPPORTED_PROTOCOL", .oldVersion),
            ("ALERT_PROTOCOL_VERSION", .oldVersion), ("EOF during handshake", .closed),
        ]
        self = known.first { text.contains($0.0) }?.1 ?? .failed(Self.reasons(in: text))
    }

    /// BoringSSL's names of what went wrong, without the places in its source.
    private static func reasons(in text: String) -> String {
        let names = text.matches(of: #/OPENSSL_internal:([A-Z0-9_]+)/#).map { String($0.1) }
        return names.isEmpty ? text : names.joined(separator: ", ")
    }

    private init(unverified facts: CertificateFacts, isClient: Bool) {
        let now = Date()
        if facts.validUntil < now {
            self = .expired(facts.holder, at: facts.validUntil)
        } else if facts.validFrom > now {
            self = .notYetValid(facts.holder, from: facts.validFrom)
        } else if isClient, !facts.isForServers {
            self = .noServer(facts.holder)
        } else {
            self = .unknownSigner(of: facts.holder, signer: facts.issuer)
        }
    }
}

extension TLSRefusal: CustomStringConvertible {
    package var description: String {
        switch self {
        case .noCertificate: "the other side has shown no certificate"
        case .unknownSigner(let holder, let signer):
            "the certificate of \(holder) is signed by \(signer), which is not trusted here"
        case .expired(let holder, let date): "the certificate of \(holder) has expired, at \(Self.words(date))"
        case .notYetValid(let holder, let date):
            "the certificate of \(holder) is not valid before \(Self.words(date))"
        case .noServer(let holder): "the certificate of \(holder) is a client's: no server shows it"
        case .otherHost(let host, let names):
            "the certificate is not for \(host)" + (names.isEmpty ? "" : ", but for \(names.joined(separator: ", "))")
        case .noNode(let holder): "the certificate is that of \(holder), and this port is for nodes only"
        case .otherCluster(let holder, let cluster): "the certificate is that of \(holder), and this is \(cluster)"
        case .otherNode(let node, let expected): "the certificate is that of node \(node), and not of node \(expected)"
        case .toldUnknownSigner: "the other side does not trust who has signed our certificate"
        case .toldExpired: "the other side says that our certificate has expired, or is not valid yet"
        case .toldNoCertificate: "the other side wants a certificate, and none was shown"
        case .toldBadCertificate: "the other side does not take our certificate"
        case .ownFiles(let error): error.description
        case .plainText: "the other side does not speak TLS on this port"
        case .oldVersion: "the other side speaks no TLS from 1.2 on"
        case .noHTTP2: "the other side speaks TLS, and no HTTP/2 in it (ALPN h2)"
        case .closed: "the connection was closed during the TLS handshake"
        case .failed(let reason): "the TLS handshake failed: \(reason)"
        }
    }

    /// For whoever is refused: who it is itself, and what to do.
    package var answer: String {
        switch self {
        case .plainText: "This port speaks TLS. Try: https://"
        default: "Refused: \(self)."
        }
    }

    private static func words(_ date: Date) -> String { date.formatted(.iso8601) }
}
