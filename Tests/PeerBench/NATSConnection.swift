import HoldfastClient
import NIOCore
import NIOPosix
import PeerProtocols

/// One connection to a NATS server: publishes to a stream, each with a reply subject of its own, and follows.
/// Event loop only.
///
/// What is written while input is handled leaves in one piece at its end, as in NATS's own clients.
final class NATSConnection: Appender, ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private static let options = """
        CONNECT {"verbose":false,"pedantic":false,"lang":"swift","version":"0","protocol":1,\
        "headers":true,"no_responders":true}
        """
    private static let acknowledgementSid = 1
    private static let deliverySid = 2
    static let subject = "bench"
    private static let deliveries = "_INBOX.bench.deliveries"

    private let channel: any Channel
    private let inbox = "_INBOX.\(UInt64.random(in: 0 ... .max))"
    private var input = ByteBuffer()
    /// By the number that ends the reply subject.
    private var waiting: [Int: (AppendFailure?) -> Void] = [:]
    private var nextNumber = 0
    private var isHandling = false
    private var mustFlush = false
    private var isClosed = false
    private var connected: EventLoopPromise<Void>?
    /// Told of each message of a consumer.
    private var delivered: ((ByteBuffer) -> Void)?

    private init(_ channel: any Channel, _ connected: EventLoopPromise<Void>) {
        self.channel = channel
        self.connected = connected
    }

    static func connect(
        to server: ServerAddress, connectMilliseconds: UInt64, on eventLoop: any EventLoop
    ) -> EventLoopFuture<NIOLoopBound<NATSConnection>> {
        let connected = eventLoop.makePromise(of: Void.self)
        return ClientBootstrap(group: eventLoop)
            .connectTimeout(.milliseconds(Int64(connectMilliseconds)))
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(NATSConnection(channel, connected))
                }
            }
            .connect(host: server.host, port: server.port)
            .flatMapErrorThrowing { error in
                connected.fail(error)
                throw error
            }
            .flatMapThrowing { channel in
                NIOLoopBound(
                    try channel.pipeline.syncOperations.handler(type: NATSConnection.self), eventLoop: eventLoop)
            }
            .flatMap { connection in connected.futureResult.map { connection } }
    }

    // MARK: Appending

    func append(_ records: ArraySlice<ByteBuffer>, told: @escaping (AppendFailure?) -> Void) {
        precondition(records.count == 1, "this server takes no batches")
        guard !self.isClosed else {
            return self.channel.eventLoop.assumeIsolated().execute { told(.connectionLost) }
        }
        let number = self.nextNumber
        self.nextNumber += 1
        self.waiting[number] = told
        self.publish(to: Self.subject, reply: "\(self.inbox).\(number)", records[records.startIndex])
    }

    func close() { self.channel.close(promise: nil) }

    // MARK: Following

    /// Makes a push consumer of what is appended from now on.
    func follow(delivered: @escaping (ByteBuffer) -> Void, told: @escaping (AppendFailure?) -> Void) {
        self.delivered = delivered
        self.write(ByteBuffer(string: "SUB \(Self.deliveries) \(Self.deliverySid)\r\n"))
        let number = self.nextNumber
        self.nextNumber += 1
        self.waiting[number] = told
        let request = """
            {"stream_name":"\(Self.subject)","config":{"deliver_subject":"\(Self.deliveries)",\
            "deliver_policy":"new","ack_policy":"none","replay_policy":"instant"}}
            """
        self.publish(
            to: "$JS.API.CONSUMER.CREATE.\(Self.subject)", reply: "\(self.inbox).\(number)",
            ByteBuffer(string: request))
    }

    // MARK: The channel

    func channelActive(context: ChannelHandlerContext) {
        let subscription = "SUB \(self.inbox).* \(Self.acknowledgementSid)"
        self.write(ByteBuffer(string: "\(Self.options)\r\n\(subscription)\r\nPING\r\n"))
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var received = self.unwrapInboundIn(data)
        if self.input.readableBytes == 0 { self.input = received } else { self.input.writeBuffer(&received) }
        self.isHandling = true
        do throws(NATSProtocol.Failure) {
            while let operation = try NATSProtocol.next(from: &self.input) { self.received(operation) }
        } catch {
            self.end(.refused("\(error)"))
            context.close(promise: nil)
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        self.isHandling = false
        guard self.mustFlush else { return }
        self.mustFlush = false
        context.flush()
    }

    func channelInactive(context: ChannelHandlerContext) { self.end(.connectionLost) }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    private func received(_ operation: NATSProtocol.Operation) {
        switch operation {
        case .message(let subject, Self.acknowledgementSid, let headByteCount, let payload):
            guard let number = self.number(of: subject), let told = self.waiting.removeValue(forKey: number) else {
                return
            }
            told(Self.failure(headByteCount, payload))
        case .message(_, _, let headByteCount, let payload):
            var value = payload
            value.moveReaderIndex(forwardBy: headByteCount)
            self.delivered?(value)
        case .ping: self.write(ByteBuffer(string: "PONG\r\n"))
        case .pong:
            self.connected?.succeed()
            self.connected = nil
        case .failed(let reason): self.end(.refused(reason))
        case .info, .ok, .connect, .subscribe, .publish: break
        }
    }

    /// The digits behind the last dot.
    private func number(of subject: ByteBuffer) -> Int? {
        let bytes = subject.readableBytesView
        guard bytes.count > self.inbox.utf8.count + 1 else { return nil }
        var number = 0
        for byte in bytes.dropFirst(self.inbox.utf8.count + 1) {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
            number = number * 10 + Int(byte - UInt8(ascii: "0"))
        }
        return number
    }

    /// `{"stream":"bench", "seq":7}`, or `{"error":{..}}`; headers alone say that nobody serves the stream.
    private static func failure(_ headByteCount: Int, _ payload: ByteBuffer) -> AppendFailure? {
        if headByteCount == 0 {
            // The beginning tells an acknowledgement, so that not each is searched.
            if payload.readableBytesView.starts(with: #"{"stream""#.utf8) { return nil }
            let text = String(buffer: payload)
            return text.contains(#""error""#) ? .refused(text) : nil
        }
        return .refused(String(buffer: payload).split(separator: "\r\n").first.map(String.init) ?? "no responders")
    }

    private func end(_ failure: AppendFailure) {
        self.isClosed = true
        self.connected?.fail(failure)
        self.connected = nil
        let waiting = self.waiting
        self.waiting = [:]
        for told in waiting.values { told(failure) }
    }

    // MARK: Writing

    private func publish(to subject: String, reply: String, _ payload: ByteBuffer) {
        var buffer = self.channel.allocator.buffer(capacity: 96 + payload.readableBytes)
        buffer.writeString("PUB \(subject) \(reply) \(payload.readableBytes)\r\n")
        buffer.writeImmutableBuffer(payload)
        buffer.writeString("\r\n")
        self.write(buffer)
    }

    private func write(_ buffer: ByteBuffer) {
        self.channel.write(buffer, promise: nil)
        if self.isHandling { self.mustFlush = true } else { self.channel.flush() }
    }
}
