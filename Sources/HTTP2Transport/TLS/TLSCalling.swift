import Certificates
import LogModel
import NIOCore
import NIOSSL
import NIOTLS

/// How a connection is opened by TLS, and who must answer.
package struct TLSCalling: Sendable {
    package enum Expectation: Hashable, Sendable {
        /// Whoever has a certificate for the host name.
        case host
        /// A node of our own cluster: this one, or any.
        case node(NodeID?)
    }

    /// What files that cannot be used say, they say when somebody connects.
    private let source: Result<TLSStore, TLSError>
    package var expectation: Expectation

    package init(_ store: TLSStore, expecting expectation: Expectation = .host) {
        self.source = .success(store)
        self.expectation = expectation
    }

    /// For clients: whoever has a certificate for the host name answers.
    package init(_ files: TLSFiles) {
        self.source = Result { () throws(TLSError) in try TLSStore(files) }
        self.expectation = .host
    }

    /// - Returns: Tells when the other side has shown that it accepts this one, too.
    func prepare(_ channel: any Channel, host: String, limits: HTTP2Limits) throws -> TLSGate {
        let store: TLSStore
        do throws(TLSError) { store = try self.source.get() } catch { throw TLSRefusal.ownFiles(error) }
        let material = store.material
        let context = self.expectation == .host ? material.calling : material.callingNodes
        // An address is checked against that of the socket; only names are said (RFC 6066 §3).
        let isAddress = (try? SocketAddress(ipAddress: host, port: 0)) != nil
        let handler = try NIOSSLClientHandler(
            context: context, serverHostname: self.expectation == .host && !isAddress ? host : nil)
        let gate = TLSGate(
            self, handler, host: host, timeout: .milliseconds(Int64(clamping: limits.handshakeMilliseconds)),
            on: channel.eventLoop)
        try channel.pipeline.syncOperations.addHandlers([handler, gate])
        return gate
    }

    func refusal(of certificate: NIOSSLCertificate?) -> TLSRefusal? {
        guard case .node(let expected) = self.expectation else { return nil }
        return TLSRefusal(ofPeer: certificate, own: (try? self.source.get())?.name, expected: expected)
    }
}

extension TLSRefusal {
    /// What speaks against a peer whose certificate a trusted authority has signed; `nil` when nothing does.
    ///
    /// - Parameter expected: `nil` for any node of the cluster.
    init?(ofPeer certificate: NIOSSLCertificate?, own: CertificateName?, expected: NodeID?) {
        let facts = (try? certificate?.toDERBytes()).flatMap { try? CertificateFacts(der: $0) }
        guard let facts else {
            self = .noCertificate
            return
        }
        guard case .node(let node, let cluster) = facts.name else {
            self = .noNode(facts.holder)
            return
        }
        if let own, own.cluster != cluster {
            self = .otherCluster(facts.holder, expected: own.cluster)
        } else if let expected, expected != node {
            self = .otherNode(node, expected: expected)
        } else {
            return nil
        }
    }
}

/// Stands between TLS and HTTP/2 of a side that connects, until the other side has said something: only then has it
/// accepted our certificate, too, which TLS 1.3 does not tell otherwise (RFC 8446 §4.4.2.4).
final class TLSGate: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer

    private let calling: TLSCalling
    private let tls: NIOSSLClientHandler
    private let host: String
    private let promise: EventLoopPromise<Void>
    private let deadline: Scheduled<Void>

    init(
        _ calling: TLSCalling, _ tls: NIOSSLClientHandler, host: String, timeout: TimeAmount,
        on eventLoop: any EventLoop
    ) {
        self.calling = calling
        self.tls = tls
        self.host = host
        let promise = eventLoop.makePromise(of: Void.self)
        self.promise = promise
        self.deadline = eventLoop.scheduleTask(in: timeout) { promise.fail(TLSRefusal.closed) }
    }

    var opened: EventLoopFuture<Void> { self.promise.futureResult }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .handshakeCompleted(let negotiated)? = event as? TLSUserEvent {
            if let refusal = self.calling.refusal(of: self.tls.peerCertificate) {
                self.fail(refusal, context)
            } else if negotiated != "h2" {
                self.fail(.noHTTP2, context)
            }
        }
        context.fireUserInboundEventTriggered(event)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        self.deadline.cancel()
        self.promise.succeed()
        context.fireChannelRead(data)
        context.pipeline.syncOperations.removeHandler(self, promise: nil)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        self.fail(TLSRefusal(error, certificate: self.tls.peerCertificate, host: self.host, isClient: true), context)
    }

    /// Also of a channel that never became active.
    func handlerRemoved(context: ChannelHandlerContext) {
        self.deadline.cancel()
        self.promise.fail(TLSRefusal.closed)
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.fail(.closed, context)
        context.fireChannelInactive()
    }

    private func fail(_ refusal: TLSRefusal, _ context: ChannelHandlerContext) {
        self.deadline.cancel()
        self.promise.fail(refusal)
        context.close(promise: nil)
    }
}
