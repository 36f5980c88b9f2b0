import HTTP2Transport
import NIOCore
import NIOPosix

/// A connection whose receiving end takes a few kilobytes at a time: what a server sends on it soon has to wait.
enum NarrowChannel {
    /// What a client says first of all.
    static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
    /// `:authority: n`, as the end of a header block.
    static let authority: [UInt8] = [0x01, 1, 0x6e]

    /// - Parameters:
    ///   - reads: Otherwise whoever has the channel asks for what has come.
    ///   - handler: Made on the channel's loop.
    static func connect(
        to server: HTTP2Server, on loop: any EventLoop, reads: Bool,
        _ handler: @escaping @Sendable () -> any ChannelHandler
    ) async throws -> any Channel {
        try await ClientBootstrap(group: loop)
            .channelOption(.autoRead, value: reads)
            .channelOption(.socketOption(.so_rcvbuf), value: 4_096)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(handler()) }
            }
            .connect(host: "127.0.0.1", port: server.port).get()
    }
}
