import Certificates
import Foundation
import NIOSSL

/// What new connections are made with: read from files, checked, and taken as a whole or not at all.
package struct TLSMaterial: Sendable {
    /// Of the own certificate; `nil` for a client that shows none.
    package let facts: CertificateFacts?
    /// Shows its certificate and needs none; one that is shown must be good. `nil` without a certificate.
    let listening: NIOSSLContext?
    /// Shows its certificate, and wants one that a trusted authority has signed.
    let listeningForCertificates: NIOSSLContext?
    /// Checks the server's host name.
    let calling: NIOSSLContext
    /// Leaves it to others whom the certificate names.
    let callingNodes: NIOSSLContext

    /// - Throws: ``TLSError``.
    init(_ contents: TLSFiles.Contents, of files: TLSFiles, now: Date = Date()) throws(TLSError) {
        let chain = try Self.certificates(contents.certificate, files.certificate)
        let authorities = try Self.certificates(contents.authority, files.authority)
        self.facts = try chain.first.map { first throws(TLSError) in
            try Self.checked(first, chain, authorities, files, now: now)
        }
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = ["h2"]
        configuration.shutdownTimeout = .seconds(1)
        if !authorities.isEmpty { configuration.trustRoots = .certificates(authorities) }
        if let path = files.key, let bytes = contents.key, !chain.isEmpty {
            configuration.certificateChain = chain.map { .certificate($0) }
            do { configuration.privateKey = .privateKey(try NIOSSLPrivateKey(bytes: bytes, format: .pem)) } catch {
                throw .malformed(path, reason: "there is no private key in it")
            }
        }
        func context(_ verification: CertificateVerification) throws(TLSError) -> NIOSSLContext {
            configuration.certificateVerification = verification
            do { return try NIOSSLContext(configuration: configuration) } catch {
                guard let key = files.key, let certificate = files.certificate else {
                    throw .malformed(files.authority ?? "TLS", reason: "\(error)")
                }
                throw .otherKey(key: key, certificate: certificate)
            }
        }
        self.calling = try context(.fullVerification)
        self.callingNodes = try context(.noHostnameVerification)
        guard !chain.isEmpty else {
            self.listening = nil
            self.listeningForCertificates = nil
            return
        }
        self.listening = try context(.optionalVerification)
        self.listeningForCertificates = self.callingNodes
    }

    private static func certificates(_ bytes: [UInt8]?, _ path: String?) throws(TLSError) -> [NIOSSLCertificate] {
        guard let bytes, let path else { return [] }
        let found = try? NIOSSLCertificate.fromPEMBytes(bytes)
        guard let found, !found.isEmpty else { throw .malformed(path, reason: "there is no certificate in it") }
        return found
    }

    /// What peers would find out, found out first.
    private static func checked(
        _ first: NIOSSLCertificate, _ chain: [NIOSSLCertificate], _ authorities: [NIOSSLCertificate],
        _ files: TLSFiles, now: Date
    ) throws(TLSError) -> CertificateFacts {
        let path = files.certificate ?? ""
        let facts = try Self.facts(first, path)
        guard facts.validUntil > now else { throw .expired(path, at: facts.validUntil) }
        guard facts.validFrom <= now else { throw .notYetValid(path, from: facts.validFrom) }
        guard let authority = files.authority else { return facts }
        var signers: [CertificateFacts] = []
        for certificate in chain.dropFirst() { signers.append(try Self.facts(certificate, path)) }
        for certificate in authorities { signers.append(try Self.facts(certificate, authority)) }
        guard facts.isSigned(byOneOf: signers) else {
            throw .unknownSigner(path, signer: facts.issuer, authority: authority)
        }
        return facts
    }

    private static func facts(_ certificate: NIOSSLCertificate, _ path: String) throws(TLSError) -> CertificateFacts {
        do { return try CertificateFacts(der: try certificate.toDERBytes()) } catch {
            throw .malformed(path, reason: "\(error)")
        }
    }
}
