import HTTP2Transport
import HTTPTypes
import LogModel
import Logging
import NIOCore
import NIOPosix
import Synchronization

@testable import HoldfastClient

/// A server that answers as the test tells it, and remembers what it was asked.
final class ScriptedServer: Sendable {
    struct Request: Sendable {
        var head: HTTPRequest
        var body: String
    }

    typealias Script = @Sendable (Request, _ number: Int) -> Answer

    enum Answer: Sendable {
        case status(Int, [UInt8])
        case reset
        /// As a node's peer port refuses whoever is no node.
        case peerPort
        case silence
        /// Frames from the index that is asked for on, as fast as they are taken; `nil` is the end of them.
        case frames(thenEnds: Bool, @Sendable (UInt64) -> ByteBuffer?)
        /// One frame, which comes in so many pieces with pauses between them.
        case slowFrame(ByteBuffer, pieces: Int, every: TimeAmount)
    }

    /// One record of a stream.
    static func frame(_ index: UInt64, _ value: String = "a value") -> ByteBuffer {
        var frame = ByteBuffer()
        let record = IndexedRecord(
            index: LogIndex(index), position: Position(0, 64), term: Term(1), timestamp: Timestamp(nanoseconds: 1),
            record: Record(value))
        RecordFrame.encode(CollectionOfOne(record), into: &frame)
        return frame
    }

    /// What a server says of its cluster.
    static func cluster(leader: ServerAddress?, lastIndex: UInt64 = 0) -> Answer {
        let status = ClusterStatus(
            node: 1, role: "follower", term: 1, leader: leader == nil ? nil : 1, cluster: nil, incarnation: "1",
            firstIndex: 1, lastIndex: lastIndex, commit: "0:0", tail: "0:0", isReady: true,
            nodes: leader.map { [.init(node: 1, client: $0.description, peer: "x:1")] } ?? [])
        return .status(200, JSONDocument.encode(status))
    }

    private let requests = Mutex<[Request]>([])
    private let script: Script
    private let server = Mutex<HTTP2Server?>(nil)
    /// Of frames.
    let sentByteCount = Atomic(0)

    init(_ script: @escaping Script) { self.script = script }

    func start() async throws -> ServerAddress {
        let server = try await HTTP2Server.bind(
            host: "127.0.0.1", port: 0, on: MultiThreadedEventLoopGroup.singleton.next(),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        ) { _ in Handler(server: self) }
        self.server.withLock { $0 = server }
        return ServerAddress(host: "127.0.0.1", port: server.port)
    }

    func stop() async {
        await self.server.withLock { $0 }?.shutdown(grace: .zero)
    }

    var connectionCount: Int { self.server.withLock { $0?.connectionCount ?? 0 } }

    /// Paths that were asked for, in order.
    var paths: [String] { self.requests.withLock { $0.compactMap(\.head.path) } }

    /// What was appended, with each try.
    var appends: [Request] { self.requests.withLock { $0.filter { $0.head.method == .post } } }

    func answer(_ request: Request) -> Answer {
        let number = self.requests.withLock { requests in
            requests.append(request)
            return requests.count { $0.head.method == request.head.method }
        }
        return self.script(request, number)
    }

    private final class Handler: HTTP2ServerHandler {
        private let server: ScriptedServer
        private var head: HTTPRequest?
        private var body = ByteBuffer()
        private var follow: (() -> Void)?

        init(server: ScriptedServer) { self.server = server }
        func received(head: HTTPRequest, on stream: HTTP2Stream) { self.head = head }
        func received(body: ByteBuffer, on stream: HTTP2Stream) { self.body.writeImmutableBuffer(body) }
        func closed(_ reason: HTTP2CloseReason, on stream: HTTP2Stream) { self.follow = nil }
        func becameWritable(on stream: HTTP2Stream) { self.follow?() }
        func receivedEnd(on stream: HTTP2Stream) {
            guard let head else { return }
            switch self.server.answer(Request(head: head, body: String(buffer: self.body))) {
            case .status(let code, let bytes):
                stream.respond(HTTPResponse(status: .init(code: code)), body: ByteBuffer(bytes: bytes))
            case .reset: stream.reset()
            case .peerPort:
                let refusal = HTTPResponse(status: .forbidden, headerFields: [.holdfastProtocol: "1"])
                stream.respond(refusal, body: ByteBuffer())
            case .silence: break
            case .slowFrame(let frame, let count, let pause):
                stream.send(head: HTTPResponse(status: .ok))
                Self.send(frame, pieces: frame.readableBytes / count + 1, every: pause, on: stream)
            case .frames(let ends, let frame):
                stream.send(head: HTTPResponse(status: .ok))
                var next = Self.start(of: head)
                self.follow = { [server] in
                    while stream.isWritable, stream.isOpen {
                        guard let piece = frame(next) else { return ends ? stream.finish() : () }
                        next += 1
                        stream.send(piece)
                        server.sentByteCount.add(piece.readableBytes, ordering: .relaxed)
                    }
                }
                self.follow?()
            }
        }

        private static func send(_ rest: ByteBuffer, pieces: Int, every pause: TimeAmount, on stream: HTTP2Stream) {
            var rest = rest
            guard stream.isOpen, let piece = rest.readSlice(length: min(pieces, rest.readableBytes)),
                piece.readableBytes > 0
            else { return }
            stream.send(piece)
            let bound = NIOLoopBound(stream, eventLoop: stream.eventLoop)
            stream.eventLoop.scheduleTask(in: pause) { [rest] in
                Self.send(rest, pieces: pieces, every: pause, on: bound.value)
            }
        }

        private static func start(of head: HTTPRequest) -> UInt64 {
            let value = head.path?.split(separator: "from=").last?.prefix { $0.isNumber }
            return value.flatMap { UInt64($0) } ?? 1
        }
    }
}

/// An address that is known only when its server has started.
final class AddressBox: Sendable {
    private let value = Mutex<ServerAddress?>(nil)
    var address: ServerAddress? {
        get { self.value.withLock { $0 } }
        set { self.value.withLock { $0 = newValue } }
    }
}
