import Certificates
import HTTPTypes
import NIOCore
import NIOSSL
import NIOTLS

/// Who is at the other end, as its certificate says, and what becomes of those who may not be.
extension ConnectionHandler {
    /// Server: the TLS of this connection, from its first byte on.
    struct Security {
        var handler: NIOSSLServerHandler
        var listening: TLSListening
    }

    func begins(_ handler: NIOSSLServerHandler, _ listening: TLSListening) {
        self.security = Security(handler: handler, listening: listening)
    }

    /// From now on no request is heard; each is told why.
    func refuse(_ refusal: TLSRefusal) {
        self.refusal = refusal
        self.logger.info("connection refused", metadata: ["peer": "\(self.authority)", "reason": "\(refusal)"])
    }

    func handshakeCompleted() {
        guard let security else { return }
        let certificate = security.handler.peerCertificate
        let facts = (try? certificate?.toDERBytes()).flatMap { try? CertificateFacts(der: $0) }
        self.peerName = facts?.name
        if let refusal = security.listening.refusal(of: certificate) { self.refuse(refusal) }
    }

    /// A handshake that failed is news; how a connection ends later is not.
    func note(_ error: any Error) {
        guard let security, case .handshakeFailed? = error as? NIOSSLError else {
            return self.logger.debug("connection failed", metadata: ["error": "\(error)"])
        }
        let refusal = TLSRefusal(
            error, certificate: security.handler.peerCertificate, host: self.authority, isClient: false)
        self.logger.info("connection refused", metadata: ["peer": "\(self.authority)", "reason": "\(refusal)"])
    }
}
