import NIOCore
import NIOPosix

/// Passes on the connections of one node to another as far as the network allows. Event loop only.
///
///     dialer --> | near --> far | --> target      forward
///     dialer <-- | near <-- far | <-- target      backward
///
/// A connection that begins while a direction is cut gets nowhere: hands are shaken in both.
final class Relay {
    /// One accepted connection, and the one that was opened for it.
    private final class Line {
        let near: RelayEnd
        var far: RelayEnd?
        init(near: RelayEnd) { self.near = near }
    }

    private let port: Int
    private let target: Int
    private let eventLoop: any EventLoop
    private var listener: (any Channel)?
    private var lines: [ObjectIdentifier: Line] = [:]
    private var forward: Network.Fault?
    private var backward: Network.Fault?
    /// Connections that were begun.
    private(set) var connectionCount = 0

    /// Listens only after ``open()``.
    init(port: Int, target: Int, on eventLoop: any EventLoop) {
        self.port = port
        self.target = target
        self.eventLoop = eventLoop
    }

    func open() -> EventLoopFuture<Void> {
        let bound = NIOLoopBound(self, eventLoop: self.eventLoop)
        return ServerBootstrap(group: self.eventLoop)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try bound.value.accept(channel) }
            }
            .bind(host: "127.0.0.1", port: self.port)
            .map { bound.value.listener = $0 }
    }

    func close() -> EventLoopFuture<Void> {
        self.closeLines()
        guard let listener = self.listener else { return self.eventLoop.makeSucceededVoidFuture() }
        self.listener = nil
        return listener.close()
    }

    /// - Returns: When the port refuses or takes connections as it now must.
    func suffer(forward: Network.Fault?, backward: Network.Fault?) -> EventLoopFuture<Void> {
        self.forward = forward
        self.backward = backward
        if forward == .refuse || backward == .refuse { return self.close() }
        if self.isHangingUp { self.closeLines() }
        for line in self.lines.values where line.near.isTorn || line.far?.isTorn == true {
            // What it lost cannot be made up for.
            if forward == nil, backward == nil { line.near.close() }
        }
        for line in self.lines.values { self.connect(line) }
        return self.listener == nil ? self.open() : self.eventLoop.makeSucceededVoidFuture()
    }

    private var isHangingUp: Bool { self.forward == .hangUp || self.backward == .hangUp }

    private func closeLines() {
        for line in self.lines.values {
            line.near.close()
            line.far?.close()
        }
    }

    private func accept(_ channel: any Channel) throws {
        self.connectionCount += 1
        guard !self.isHangingUp else { return channel.close(promise: nil) }
        let near = RelayEnd()
        let line = Line(near: near)
        self.lines[ObjectIdentifier(line)] = line
        near.whenClosed = { [weak self, weak line] in
            guard let line else { return }
            line.far?.close()
            self?.lines[ObjectIdentifier(line)] = nil
        }
        try channel.pipeline.syncOperations.addHandler(near)
        self.connect(line)
    }

    /// Takes a line as far as the faults of the moment let it.
    private func connect(_ line: Line) {
        line.near.fault = self.forward
        line.far?.fault = self.backward
        guard line.far == nil, self.forward == nil, self.backward == nil else { return }
        let far = RelayEnd()
        line.far = far
        far.partner = line.near
        far.whenClosed = { [weak near = line.near] in near?.close() }
        let bound = NIOLoopBound((line: line, far: far), eventLoop: self.eventLoop)
        ClientBootstrap(group: self.eventLoop)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(bound.value.far)
                }
            }
            .connect(host: "127.0.0.1", port: self.target)
            .whenComplete { result in
                let (line, far) = bound.value
                guard case .success = result else { return line.near.close() }
                // Whoever dialed may have left meanwhile.
                guard line.near.isOpen else { return far.close() }
                line.near.partner = far
                line.near.resume()
            }
    }
}

/// One end of a line: reads while its partner can write and no fault is in the way.
final class RelayEnd: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    weak var partner: RelayEnd?
    var whenClosed: () -> Void = {}
    var fault: Network.Fault? {
        didSet {
            if self.fault == .swallow, !self.held.isEmpty {
                self.held = []
                self.isTorn = true
            }
            self.resume()
        }
    }
    /// Bytes were lost here.
    private(set) var isTorn = false
    /// What came while it stalls: a read that was under way, and no more.
    private var held: [ByteBuffer] = []
    private var context: ChannelHandlerContext?
    private var isReadPending = false

    var isOpen: Bool { self.context?.channel.isActive == true }
    func close() { self.context?.close(promise: nil) }

    /// What held up reading may be over.
    func resume() {
        if self.fault == nil {
            for bytes in self.held { self.partner?.pass(bytes) }
            self.held = []
        }
        guard self.isReadPending, let context = self.context else { return }
        self.isReadPending = false
        self.read(context: context)
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }
    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func read(context: ChannelHandlerContext) {
        let canPassOn = self.partner?.context?.channel.isWritable == true
        guard self.fault == .swallow || (self.fault == nil && canPassOn) else {
            self.isReadPending = true
            return
        }
        context.read()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch self.fault {
        case nil: self.partner?.pass(self.unwrapInboundIn(data))
        case .stall: self.held.append(self.unwrapInboundIn(data))
        case .swallow, .refuse, .hangUp: self.isTorn = true
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) { self.partner?.resume() }

    func channelInactive(context: ChannelHandlerContext) {
        self.whenClosed()
        self.whenClosed = {}
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    private func pass(_ bytes: ByteBuffer) {
        guard let context = self.context else { return }
        context.writeAndFlush(self.wrapOutboundOut(bytes), promise: nil)
    }
}
