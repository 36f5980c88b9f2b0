import NIOCore

/// Looks at a connection's first bytes, so that whoever speaks another protocol here reads why it fails.
///
/// HTTP/2 with prior knowledge gets a GOAWAY with words in it (RFC 9113 §6.8, `HTTP_1_1_REQUIRED`); TLS gets a plain
/// answer, which its tools show as what came instead of a handshake.
final class ForeignProtocolHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private static let http2Preface = Array("PRI * HT".utf8)
    private static let tlsHandshake: UInt8 = 0x16
    private static let words = "this port speaks plain HTTP/1.1; HTTP/2 is spoken on the client port (listen.client)"
    private var isRefused = false

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !self.isRefused else { return }
        let buffer = self.unwrapInboundIn(data)
        guard let refusal = Self.refusal(of: buffer.readableBytesView) else {
            context.fireChannelRead(data)
            context.pipeline.syncOperations.removeHandler(self, promise: nil)
            return
        }
        self.isRefused = true
        let channel = context.channel
        context.writeAndFlush(self.wrapOutboundOut(refusal)).whenComplete { _ in channel.close(promise: nil) }
    }

    static func refusal(of bytes: ByteBufferView) -> ByteBuffer? {
        if bytes.starts(with: self.http2Preface) { return self.goAway }
        return bytes.first == self.tlsHandshake ? self.plainAnswer : nil
    }

    private static let goAway: ByteBuffer = {
        let words = Array(ForeignProtocolHandler.words.utf8)
        // An empty SETTINGS frame, which has to come first, then GOAWAY: no stream was taken, HTTP_1_1_REQUIRED.
        var buffer = ByteBuffer(bytes: [0, 0, 0, 4, 0, 0, 0, 0, 0])
        buffer.writeBytes([0, 0, UInt8(8 + words.count), 7, 0, 0, 0, 0, 0])
        buffer.writeBytes([0, 0, 0, 0, 0, 0, 0, 0x0d])
        buffer.writeBytes(words)
        return buffer
    }()

    private static let plainAnswer = ByteBuffer(
        string: "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\n"
            + "Content-Length: \(ForeignProtocolHandler.words.utf8.count + 1)\r\n\r\n\(ForeignProtocolHandler.words)\n")
}
