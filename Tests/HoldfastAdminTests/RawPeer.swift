import NIOCore
import NIOPosix
import Synchronization

@testable import HoldfastAdmin

/// Somebody who connects and sends what a test wrote, whole or in drops, and reads what comes, or nothing at all.
final class RawPeer: Sendable {
    private final class Collector: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        let text: @Sendable (String) -> Void
        init(_ text: @escaping @Sendable (String) -> Void) { self.text = text }
        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            self.text(String(buffer: self.unwrapInboundIn(data)))
        }
        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }

    private let received = Mutex("")
    private let connected = Mutex<(any Channel)?>(nil)

    /// - Parameter reads: Otherwise nothing is read, and the kernel takes a few kilobytes at most.
    init(to listener: Listener, reads: Bool = true) async throws {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.autoRead, value: reads)
            .channelOption(.socketOption(.so_rcvbuf), value: reads ? 1 << 20 : 4_096)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        Collector { text in self.received.withLock { $0 += text } })
                }
            }
            .connect(host: "127.0.0.1", port: listener.server.port).get()
        self.connected.withLock { $0 = channel }
    }

    private var channel: any Channel {
        guard let channel = self.connected.withLock({ $0 }) else { preconditionFailure("init has returned") }
        return channel
    }

    /// All that has come.
    var text: String { self.received.withLock { $0 } }
    var isOpen: Bool { self.channel.isActive }

    func send(_ text: String) { self.channel.writeAndFlush(ByteBuffer(string: text), promise: nil) }

    /// Sends the same every few milliseconds, until the connection ends.
    func drip(_ text: String) {
        let channel = self.channel
        let dripping = channel.eventLoop.scheduleRepeatedTask(initialDelay: .zero, delay: .milliseconds(10)) { _ in
            channel.writeAndFlush(ByteBuffer(string: text), promise: nil)
        }
        channel.closeFuture.whenComplete { _ in dripping.cancel() }
    }

    /// Returns once the listener has ended the connection; only who reads hears of it.
    func ended() async throws { try await self.channel.closeFuture.get() }

    /// Says that nothing more will be sent.
    func closeOutput() async { try? await self.channel.close(mode: .output) }

    func close() async { try? await self.channel.close() }
}

extension Listener {
    func count(_ breach: ConnectionBreach) -> UInt64 { self.server.connections.metrics.breaches[breach.rawValue] ?? 0 }
    var connectionCount: Int { self.server.connections.metrics.connectionCount }

    /// Waits until it is so; the time limit of its suite ends a test in vain.
    func wait(until isSo: () -> Bool) async throws {
        while !isSo() { try await Task.sleep(for: .milliseconds(5)) }
    }
}
