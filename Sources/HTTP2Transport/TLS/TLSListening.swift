import Certificates
import LogModel
import NIOCore
import NIOSSL

/// How a listener takes connections by TLS, and from whom.
package struct TLSListening: Sendable {
    package enum Admission: Hashable, Sendable {
        /// Anybody, with a certificate or without.
        case anybody
        /// Whoever shows a certificate that a trusted authority has signed.
        case certified
        /// Nodes of our own cluster.
        case nodes
    }

    package var store: TLSStore
    package var admission: Admission

    /// - Parameter store: Holds a certificate.
    package init(_ store: TLSStore, admitting admission: Admission) {
        self.store = store
        self.admission = admission
    }

    fileprivate func makeHandler() throws -> NIOSSLServerHandler {
        let material = self.store.material
        let context = self.admission == .anybody ? material.listening : material.listeningForCertificates
        guard let context else { throw TLSRefusal.noCertificate }
        return NIOSSLServerHandler(context: context)
    }

    /// What speaks against whoever has shown this certificate, although an authority vouches for it.
    func refusal(of certificate: NIOSSLCertificate?) -> TLSRefusal? {
        guard self.admission == .nodes else { return nil }
        return TLSRefusal(ofPeer: certificate, own: self.store.name, expected: nil)
    }
}

/// Looks at a connection's first byte: a handshake begins with 22 (RFC 8446 §5.1). What does not is plain text: it is
/// taken as such, and each request refused in words that whoever sent it can read.
final class TLSDoor: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer

    private static let handshake: UInt8 = 22
    private let listening: TLSListening
    private let connection: ConnectionHandler

    init(_ listening: TLSListening, _ connection: ConnectionHandler) {
        self.listening = listening
        self.connection = connection
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = Self.unwrapInboundIn(data)
        guard let first = buffer.readableBytesView.first else { return }
        let pipeline = context.pipeline.syncOperations
        do {
            if first == Self.handshake {
                let handler = try self.listening.makeHandler()
                try pipeline.addHandler(handler, position: .after(self))
                self.connection.begins(handler, self.listening)
            } else {
                self.connection.refuse(.plainText)
            }
            context.fireChannelRead(data)
            pipeline.removeHandler(self, promise: nil)
        } catch {
            context.fireErrorCaught(error)
        }
    }
}
