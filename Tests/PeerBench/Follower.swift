import HTTP2Transport
import HTTPTypes
import HoldfastClient
import NIOCore
import PeerProtocols

/// Follows what is appended from now on, at one node. Event loop only.
enum Follower {
    /// - Parameter delivered: Called with the value of each record.
    /// - Returns: Succeeds once nothing that is appended from then on can be missed; keeps the connection open until the
    ///   process ends.
    static func follow(
        _ system: PeerSystem, at server: ServerAddress, on eventLoop: any EventLoop,
        delivered: @escaping @Sendable (ByteBuffer) -> Void
    ) -> EventLoopFuture<Void> {
        let began = eventLoop.makePromise(of: Void.self)
        switch system {
        case .holdfast, .etcd:
            let request: HTTPRequest
            if system == .etcd {
                request = .gRPC(EtcdMessages.watchPath, at: server)
            } else {
                request = HTTPRequest(
                    method: .get, scheme: nil, authority: server.description, path: "/v1/records?from=tail&follow=true",
                    headerFields: [.accept: RecordFrame.contentType])
            }
            HTTP2Connection.connect(
                host: server.host, port: server.port, on: eventLoop, limits: .peer, logger: .silent
            ).whenComplete { result in
                switch result {
                case .failure(let error): began.fail(error)
                case .success(let connection):
                    let handler = StreamFollower(system, began, delivered)
                    let stream = connection.open(request, handler: handler, endStream: system == .holdfast)
                    if system == .etcd { stream.send(EtcdMessages.watchAll()) }
                }
            }
        case .nats:
            NATSConnection.connect(to: server, connectMilliseconds: 2_000, on: eventLoop).whenComplete { result in
                switch result {
                case .failure(let error): began.fail(error)
                case .success(let connection):
                    connection.value.follow(delivered: delivered) { failure in
                        if let failure { began.fail(failure) } else { began.succeed() }
                    }
                }
            }
        }
        return began.futureResult
    }
}

/// A response that goes on and on: Holdfast's frames, or the messages of an etcd watch.
private final class StreamFollower: HTTP2ClientHandler {
    private let system: PeerSystem
    private let began: EventLoopPromise<Void>
    private let delivered: (ByteBuffer) -> Void
    private var input = ByteBuffer()

    init(_ system: PeerSystem, _ began: EventLoopPromise<Void>, _ delivered: @escaping (ByteBuffer) -> Void) {
        self.system = system
        self.began = began
        self.delivered = delivered
    }

    func received(head: HTTPResponse, on stream: HTTP2Stream) {
        guard head.status == .ok else { return self.began.fail(AppendFailure.refused("\(head.status)")) }
        if self.system == .holdfast { self.began.succeed() }
    }

    func received(body: ByteBuffer, on stream: HTTP2Stream) {
        self.input.writeImmutableBuffer(body)
        do {
            if self.system == .etcd { try self.readWatch() } else { try self.readFrames() }
        } catch {
            self.began.fail(error)
            stream.reset()
        }
        if self.input.readableBytes == 0 { self.input.clear() }
    }

    func receivedEnd(trailers: HTTPFields, on stream: HTTP2Stream) {
        self.began.fail(AppendFailure.refused("the stream ended: \(trailers[.gRPCMessage] ?? "")"))
    }

    func closed(_ reason: HTTP2CloseReason, on stream: HTTP2Stream) { self.began.fail(AppendFailure.connectionLost) }

    private func readFrames() throws {
        while let frame = try RecordFrame.next(from: &self.input) {
            guard case .record(let record) = frame else { throw AppendFailure.refused("\(frame)") }
            self.delivered(ByteBuffer(bytes: record.record.value))
        }
    }

    private func readWatch() throws {
        while let message = EtcdMessages.nextMessage(from: &self.input) {
            let answer = try EtcdMessages.watchAnswer(message)
            if answer.isCancelled { throw AppendFailure.refused("the watch was cancelled") }
            if answer.isCreated { self.began.succeed() }
            for value in answer.values { self.delivered(value) }
        }
    }
}
