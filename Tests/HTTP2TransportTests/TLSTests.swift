import Certificates
import Foundation
import HTTP2Transport
import LogModel
import NIOCore
import NIOPosix
import TestSupport
import Testing

/// HTTP/2 by TLS: who is let in, who is refused, and how each side hears why.
@Suite(.timeLimit(.minutes(1))) struct TLSTests {
    @Test func `A client that trusts the authority gets an answer, and a large one`() async throws {
        let certificates = try TestCertificates()
        try await withServer(limits: Self.patient, tls: TLSListening(try certificates.node(1), admitting: .anybody)) {
            server, _ in
            try await withClient(limits: Self.patient, tls: TLSCalling(try certificates.anonymous)) { client in
                let hello = try await client.get("/hello", server.address)
                #expect(hello.head.status == .ok)
                let large = try await client.get("/bytes/3000000", server.address)
                #expect(large.body.readableBytes == 3_000_000)
            }
        }
    }

    @Test func `A node is let in among nodes`() async throws {
        let certificates = try TestCertificates()
        try await withServer(limits: Self.patient, tls: TLSListening(try certificates.node(1), admitting: .nodes)) {
            server, _ in
            let calling = TLSCalling(try certificates.node(2), expecting: .node(NodeID(1)))
            try await withClient(limits: Self.patient, tls: calling) { client in
                let hello = try await client.get("/hello", server.address)
                #expect(hello.head.status == .ok)
            }
        }
    }

    // MARK: Refused by the listener

    @Test func `No certificate is refused among nodes, and the caller hears it`() async throws {
        let certificates = try TestCertificates()
        let error = try await Self.refusal(
            listening: TLSListening(try certificates.node(1), admitting: .nodes),
            calling: TLSCalling(try certificates.anonymous))
        #expect(error == .toldNoCertificate)
    }

    @Test func `A certificate of an unknown authority is refused, and the caller hears it`() async throws {
        let (certificates, others) = (try TestCertificates(), try TestCertificates())
        let foreign = try others.issue(.node(NodeID(2), cluster: "test"))
        // It trusts the right authority itself, so that it is the listener that refuses.
        try others.write(String(contentsOfFile: certificates.path("ca.pem"), encoding: .utf8), "trusted.pem")
        let files = TLSFiles(certificate: foreign.certificate, key: foreign.key)
        let both =
            try String(contentsOfFile: certificates.path("ca.pem"), encoding: .utf8)
            + String(contentsOfFile: others.path("ca.pem"), encoding: .utf8)
        try others.write(both, "both.pem")
        let caller = try TLSStore(
            TLSFiles(certificate: files.certificate, key: files.key, authority: others.path("both.pem")))
        let error = try await Self.refusal(
            listening: TLSListening(try certificates.node(1), admitting: .nodes), calling: TLSCalling(caller))
        #expect(error == .toldUnknownSigner)
    }

    @Test func `A client's certificate does not open a port for nodes, and each request is told`() async throws {
        let certificates = try TestCertificates()
        let caller = try TLSStore(certificates.issue(.client("billing", cluster: "test")))
        try await withServer(limits: Self.patient, tls: TLSListening(try certificates.node(1), admitting: .nodes)) {
            server, witness in
            try await withClient(limits: Self.patient, tls: TLSCalling(caller)) { client in
                let answer = try await client.get("/hello", server.address)
                #expect(answer.head.status == .forbidden)
                #expect(
                    String(buffer: answer.body)
                        == "Refused: the certificate is that of client billing of test, and this port is for nodes only.\n"
                )
                #expect(witness.count("head /hello") == 0)
            }
        }
    }

    @Test func `A node of another cluster of the same authority is refused by name`() async throws {
        let certificates = try TestCertificates()
        let caller = TLSCalling(try certificates.node(2, cluster: "staging"), expecting: .host)
        try await withServer(limits: Self.patient, tls: TLSListening(try certificates.node(1), admitting: .nodes)) {
            server, _ in
            try await withClient(limits: Self.patient, tls: caller) { client in
                let answer = try await client.get("/hello", server.address)
                #expect(
                    String(buffer: answer.body)
                        == "Refused: the certificate is that of node 2 of staging, and this is test.\n")
            }
        }
    }

    // MARK: Refused by the caller

    @Test func `Another node than the one that was called is refused`() async throws {
        let certificates = try TestCertificates()
        let error = try await Self.refusal(
            listening: TLSListening(try certificates.node(1), admitting: .nodes),
            calling: TLSCalling(try certificates.node(2), expecting: .node(NodeID(3))))
        #expect(error == .otherNode(NodeID(1), expected: NodeID(3)))
    }

    @Test func `A host that the certificate does not name is refused`() async throws {
        let certificates = try TestCertificates()
        let files = try certificates.issue(.node(NodeID(1), cluster: "test"), hosts: ["n1.example"])
        let error = try await Self.refusal(
            listening: TLSListening(try TLSStore(files, node: NodeID(1)), admitting: .anybody),
            calling: TLSCalling(try certificates.anonymous))
        #expect(error == .otherHost("127.0.0.1", named: ["n1.example"]))
    }

    @Test func `A server of an unknown authority is refused by name`() async throws {
        let (certificates, others) = (try TestCertificates(), try TestCertificates())
        let error = try await Self.refusal(
            listening: TLSListening(try certificates.node(1), admitting: .anybody),
            calling: TLSCalling(try others.anonymous))
        #expect(error == .unknownSigner(of: "node 1 of test", signer: certificates.authority.facts.subject))
    }

    @Test func `A certificate that has expired meanwhile is refused by both sides`() async throws {
        let certificates = try TestCertificates()
        let name = CertificateName.node(NodeID(1), cluster: "test")
        let files = try certificates.issue(name, from: Date() - 2, days: 3 / 86_400)
        let store = try TLSStore(files, node: NodeID(1))
        let until = try #require(store.material.facts).validUntil
        try await Task.sleep(until: .now + .seconds(max(0, until.timeIntervalSinceNow) + 1.1))
        let client = try await Self.refusal(
            listening: TLSListening(store, admitting: .anybody), calling: TLSCalling(try certificates.anonymous))
        #expect(client == .expired(name.description, at: until))
        let server = try await Self.refusal(
            listening: TLSListening(try certificates.node(2), admitting: .nodes), calling: TLSCalling(store))
        #expect(server == .toldExpired)
    }

    // MARK: Spoken wrongly

    @Test func `Plain HTTP/2 on a TLS port is answered in words`() async throws {
        let certificates = try TestCertificates()
        try await withServer(limits: Self.patient, tls: TLSListening(try certificates.node(1), admitting: .anybody)) {
            server, witness in
            try await withClient { client in
                let answer = try await client.get("/hello", server.address)
                #expect(answer.head.status == .forbidden)
                #expect(String(buffer: answer.body) == "This port speaks TLS. Try: https://\n")
                #expect(witness.count("head /hello") == 0)
            }
        }
    }

    @Test func `TLS on a plain port is told so`() async throws {
        let certificates = try TestCertificates()
        let error = try await Self.refusal(listening: nil, calling: TLSCalling(try certificates.anonymous))
        #expect(error == .plainText)
    }

    @Test func `A handshake that does not go on is cut`() async throws {
        let certificates = try TestCertificates()
        var limits = HTTP2Limits()
        limits.prefaceMilliseconds = 100
        let listening = TLSListening(try certificates.node(1), admitting: .anybody)
        try await withServer(limits: limits, tls: listening) { server, _ in
            // The first bytes of a handshake, and no more.
            for bytes: [UInt8] in [[], [22], [22, 3, 1, 2, 0, 1, 0, 1, 252]] {
                let channel = try await ClientBootstrap(group: loops).connect(host: "127.0.0.1", port: server.port)
                    .get()
                // It may be cut before.
                try? await channel.writeAndFlush(ByteBuffer(bytes: bytes))
                try await channel.closeFuture.get()
            }
        }
    }

    @Test func `A server that dies during the handshake has closed, whatever the socket says of it`() async throws {
        let calling = TLSCalling(try TestCertificates().anonymous)
        let dying = try await ServerBootstrap(group: loops)
            .childChannelInitializer { $0.pipeline.addHandler(ResetsAtFirstBytes()) }
            .bind(host: "127.0.0.1", port: 0).get()
        let connection = HTTP2Connection.connect(
            host: "127.0.0.1", port: try #require(dying.localAddress?.port), on: loops.next(), limits: Self.patient,
            tls: calling, logger: quiet)
        let error = await #expect(throws: TLSRefusal.self) { try await connection.get() }
        #expect(error == .closed)
        try await dying.close()
    }

    // MARK: New certificates

    @Test func `New connections show a new certificate, and old ones live on`() async throws {
        let certificates = try TestCertificates()
        let name = CertificateName.node(NodeID(1), cluster: "test")
        let store = try TLSStore(certificates.issue(name, as: "n1"), node: NodeID(1))
        try await withServer(limits: Self.patient, tls: TLSListening(store, admitting: .anybody)) { server, _ in
            try await withClient(limits: Self.patient, tls: TLSCalling(try certificates.anonymous)) { old in
                #expect(try await old.get("/hello", server.address).head.status == .ok)
                try certificates.issue(name, hosts: ["elsewhere.example"], as: "n1")
                #expect(try store.reload())
                #expect(try await old.get("/hello", server.address).head.status == .ok)
                let error = try await Self.refusal(of: TLSCalling(try certificates.anonymous), at: server)
                #expect(error == .otherHost("127.0.0.1", named: ["elsewhere.example"]))
            }
        }
    }

    // MARK: Helpers

    /// A busy machine takes its time for a handshake.
    private static let patient: HTTP2Limits = {
        var limits = HTTP2Limits()
        limits.handshakeMilliseconds = 40_000
        limits.prefaceMilliseconds = 40_000
        limits.connectMilliseconds = 20_000
        return limits
    }()

    /// Why `calling` gets no answer from such a listener.
    private static func refusal(listening: TLSListening?, calling: TLSCalling) async throws -> TLSRefusal? {
        try await withServer(limits: self.patient, tls: listening) { server, _ in
            try await Self.refusal(of: calling, at: server)
        }
    }

    private static func refusal(of calling: TLSCalling, at server: HTTP2Server) async throws -> TLSRefusal? {
        try await withClient(limits: self.patient, tls: calling) { client in
            do throws(HTTP2ClientError) {
                let answer = try await client.get("/hello", server.address)
                Issue.record("answered with \(answer.head.status): \(String(buffer: answer.body))")
                return nil
            } catch {
                #expect(error.isCertainlyUnprocessed)
                guard case .untrusted(_, let refusal) = error else {
                    Issue.record("\(error)")
                    return nil
                }
                return refusal
            }
        }
    }
}

extension HTTP2Client {
    fileprivate func get(_ path: String, _ address: HTTP2Address) async throws(HTTP2ClientError) -> HTTP2Answer {
        try await self.execute(
            request(.get, path), to: address, timeout: .seconds(45), bodyByteCountMax: 8 << 20)
    }
}

/// Ends a connection by a reset, as the system does for a process that dies with bytes unread.
private final class ResetsAtFirstBytes: ChannelInboundHandler, Sendable {
    typealias InboundIn = ByteBuffer

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let channel = context.channel
        let lingering = (channel as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0))
        lingering?.whenComplete { _ in channel.close(promise: nil) }
    }
}
