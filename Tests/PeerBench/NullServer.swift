import HTTP2Transport
import HTTPTypes
import HoldfastClient
import NIOCore
import NIOPosix
import PeerProtocols

/// Acknowledges every append at once and keeps nothing: what the driver reaches with it is the most it can show of others.
enum NullServer {
    /// As many connections as the driver may have, all of one address.
    private static var limits: HTTP2Limits {
        var limits = HTTP2Limits()
        limits.connectionsMax = AppendCommand.clientsMax
        limits.connectionsPerAddressMax = AppendCommand.clientsMax
        return limits
    }

    /// - Returns: Once it listens, which it does until the process ends.
    static func listen(_ system: PeerSystem, at address: ServerAddress) async throws {
        let eventLoop = MultiThreadedEventLoopGroup.singleton.next()
        switch system {
        case .holdfast, .etcd:
            _ = try await HTTP2Server.bind(
                host: address.host, port: address.port, on: eventLoop, limits: self.limits, logger: .silent
            ) { _ in NullHTTPHandler() }
        case .nats:
            _ = try await ServerBootstrap(group: eventLoop)
                .serverChannelOption(.backlog, value: 512)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(NullNATSHandler())
                    }
                }
                .bind(host: address.host, port: address.port).get()
        }
    }
}

private final class NullHTTPHandler: HTTP2ServerHandler {
    private static let receipt = ByteBuffer(
        string: #"{"first":1,"last":1,"position":"1:4096","term":1,"durability":"persisted"}"#)
    /// An empty `PutResponse` in its frame.
    private static let putResponse = ByteBuffer(bytes: [0, 0, 0, 0, 0])
    private enum Kind {
        case record
        case gRPC
        case session
    }
    private var kind = Kind.record
    private var input = ByteBuffer()

    func received(head: HTTPRequest, on stream: HTTP2Stream) {
        switch head.headerFields[.contentType] {
        case "application/grpc": self.kind = .gRPC
        case SessionBatch.contentType:
            self.kind = .session
            stream.isLongLived = true
            stream.send(head: HTTPResponse(status: .ok, headerFields: [.contentType: SessionBatch.contentType]))
        default: break
        }
    }

    func received(body: ByteBuffer, on stream: HTTP2Stream) {
        guard self.kind == .session else { return }
        self.input.add(body)
        var answers = ByteBuffer()
        do throws(FrameError) {
            while let batch = try SessionBatch.next(from: &self.input) {
                let receipt = AppendReceipt(
                    first: LogIndex(1), last: LogIndex(UInt64(batch.count)), position: Position(1, 4_096),
                    term: Term(1), durability: .persisted, nodes: 3, voters: 3, isDuplicate: false)
                SessionAnswer.acknowledged(sequence: batch.sequence, receipt).encode(into: &answers)
            }
        } catch {
            return stream.reset()
        }
        stream.send(answers)
    }

    func receivedEnd(on stream: HTTP2Stream) {
        switch self.kind {
        case .session: stream.finish()
        case .record:
            stream.respond(
                HTTPResponse(status: .created, headerFields: [.contentType: "application/json"]), body: Self.receipt)
        case .gRPC:
            stream.send(head: HTTPResponse(status: .ok, headerFields: [.contentType: "application/grpc"]))
            stream.send(Self.putResponse)
            stream.finish(trailers: [.gRPCStatus: "0"])
        }
    }

    func closed(_ reason: HTTP2CloseReason, on stream: HTTP2Stream) {}
}

/// Confined to its channel's event loop.
private final class NullNATSHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private static let acknowledgement = #"{"stream":"bench", "seq":1}"#
    private var input = ByteBuffer()
    private var output = ByteBuffer()

    func channelActive(context: ChannelHandlerContext) {
        context.writeAndFlush(self.wrapOutboundOut(ByteBuffer(string: "INFO {}\r\n")), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var received = self.unwrapInboundIn(data)
        self.input.writeBuffer(&received)
        do throws(NATSProtocol.Failure) {
            while let operation = try NATSProtocol.next(from: &self.input) {
                switch operation {
                case .ping: self.output.writeString("PONG\r\n")
                case .publish(_, let reply?, _):
                    self.output.writeString("MSG ")
                    self.output.writeImmutableBuffer(reply)
                    self.output.writeString(" 1 \(Self.acknowledgement.utf8.count)\r\n\(Self.acknowledgement)\r\n")
                default: break
                }
            }
        } catch {
            context.close(promise: nil)
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        guard self.output.readableBytes > 0 else { return }
        context.writeAndFlush(self.wrapOutboundOut(self.output), promise: nil)
        self.output = ByteBuffer()
    }
}
