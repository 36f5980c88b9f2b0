import HTTP2Transport
import NIOCore

/// Opens wide windows, asks for one answer, and reads the first few bytes of it only.
struct UnreadPeer {
    let channel: any Channel
    /// Some of the answer came.
    let begun: EventLoopFuture<Void>

    private final class FirstBytes: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private let promise: EventLoopPromise<Void>
        init(_ promise: EventLoopPromise<Void>) { self.promise = promise }
        func channelRead(context: ChannelHandlerContext, data: NIOAny) { self.promise.succeed() }
        func channelInactive(context: ChannelHandlerContext) { self.promise.fail(ChannelError.eof) }
        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }

    static func connect(to server: HTTP2Server, asking path: String) async throws -> UnreadPeer {
        let loop = loops.next()
        let promise = loop.makePromise(of: Void.self)
        let channel = try await NarrowChannel.connect(to: server, on: loop, reads: false) { FirstBytes(promise) }
        // SETTINGS_INITIAL_WINDOW_SIZE 2^30, and as much for the connection.
        let settings: [UInt8] = [
            0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 4, 0x40, 0, 0, 0, 0, 0, 4, 8, 0, 0, 0, 0, 0, 0x40, 0, 0, 0,
        ]
        let block = [0x82, 0x86, 0x04, UInt8(path.utf8.count)] + Array(path.utf8) + NarrowChannel.authority
        let head = [0, 0, UInt8(block.count), 1, 5, 0, 0, 0, 1] + block
        try await channel.writeAndFlush(ByteBuffer(bytes: NarrowChannel.preface + settings + head))
        channel.read()
        return UnreadPeer(channel: channel, begun: promise.futureResult)
    }
}
