import HTTP2Session
import HTTP2Transport
import HTTPTypes
import Logging
import NIOCore
import NIOPosix
import Synchronization

let quiet: Logger = {
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    return logger
}()

/// What the server's handlers saw, from any thread.
final class Witness: Sendable {
    private let state = Mutex<[String]>([])
    private let waiting = Mutex<[(String, CheckedContinuation<Void, Never>)]>([])

    func note(_ event: String) {
        self.state.withLock { $0.append(event) }
        let ready = self.waiting.withLock { waiting in
            defer { waiting.removeAll { $0.0 == event } }
            return waiting.filter { $0.0 == event }
        }
        for (_, continuation) in ready { continuation.resume() }
    }

    var events: [String] { self.state.withLock { $0 } }
    func count(_ event: String) -> Int { self.events.count { $0 == event } }

    /// Returns once `event` was noted, or the test's time is over.
    func wait(for event: String) async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isThere = self.waiting.withLock { waiting in
                    if Task.isCancelled || self.state.withLock({ $0.contains(event) }) { return true }
                    waiting.append((event, continuation))
                    return false
                }
                if isThere { continuation.resume() }
            }
        } onCancel: {
            let all = self.waiting.withLock { waiting in
                defer { waiting = [] }
                return waiting
            }
            for (_, continuation) in all { continuation.resume() }
        }
    }
}

/// Answers by path: /hello, /echo, /count, /bytes/N, /whole/N, /hang, /early, /keep, /stall, /reset, /trailers.
final class TestHandler: HTTP2ServerHandler {
    private static let chunk = ByteBuffer(repeating: 0x61, count: 64 * 1024)
    private let witness: Witness
    private var path = ""
    private var byteCount = 0
    private var missing = 0
    private var closedCount = 0
    private var owed = 0

    init(_ witness: Witness) { self.witness = witness }

    func received(head: HTTPRequest, on stream: HTTP2Stream) {
        self.path = head.path ?? ""
        self.witness.note("head \(self.path)")
        let ok = HTTPResponse(status: .ok)
        switch self.path {
        case "/hello": stream.respond(ok, body: ByteBuffer(string: "hello\n"))
        case "/echo":
            stream.isManualCredit = true
            stream.isLongLived = true
            stream.send(head: ok)
        case "/early": stream.respond(HTTPResponse(status: .contentTooLarge), body: ByteBuffer(string: "too much\n"))
        case "/stall": stream.isManualCredit = true
        case "/reset": stream.reset(.internalError)
        case "/long": stream.isLongLived = true
        case "/keep":
            stream.keepConnection()
            stream.respond(ok)
        case "/trailers":
            stream.send(head: ok)
            stream.send(ByteBuffer(string: "x"))
            stream.finish(trailers: [.contentLanguage: "en"])
        case let path where path.hasPrefix("/bytes/"):
            self.missing = Int(path.dropFirst(7)) ?? 0
            stream.send(head: ok)
            self.sendMore(on: stream)
        case let path where path.hasPrefix("/whole/"):
            stream.respond(ok, body: ByteBuffer(repeating: 0x61, count: Int(path.dropFirst(7)) ?? 0))
        default: break
        }
    }

    private func sendMore(on stream: HTTP2Stream) {
        while self.missing > 0 && stream.isWritable {
            var chunk = Self.chunk
            let count = min(self.missing, chunk.readableBytes)
            self.missing -= count
            guard let slice = chunk.readSlice(length: count) else { return }
            stream.send(slice, endStream: self.missing == 0)
        }
    }

    func received(body: ByteBuffer, on stream: HTTP2Stream) {
        self.byteCount += body.readableBytes
        guard self.path == "/echo" else { return }
        stream.send(body)
        self.owed += body.readableBytes
        self.giveCredit(stream)
    }

    /// Takes no more from the peer than it takes back.
    private func giveCredit(_ stream: HTTP2Stream) {
        guard stream.isWritable else { return }
        stream.consumed(self.owed)
        self.owed = 0
    }

    func receivedEnd(on stream: HTTP2Stream) {
        self.witness.note("end \(self.path)")
        switch self.path {
        case "/echo": stream.finish()
        case "/count": stream.respond(HTTPResponse(status: .ok), body: ByteBuffer(string: "\(self.byteCount)\n"))
        default: break
        }
    }

    func becameWritable(on stream: HTTP2Stream) {
        self.sendMore(on: stream)
        self.giveCredit(stream)
    }

    func closed(_ reason: HTTP2CloseReason, on stream: HTTP2Stream) {
        self.closedCount += 1
        self.witness.note(self.closedCount == 1 ? "closed \(self.path) \(reason)" : "closed twice")
    }
}

/// Runs `body` beside a server on a port of the system's choice, which is gone afterwards.
@discardableResult
func withServer<Answer>(
    limits: HTTP2Limits = HTTP2Limits(), tls: TLSListening? = nil,
    _ body: (HTTP2Server, Witness) async throws -> Answer
) async throws -> Answer {
    let witness = Witness()
    let server = try await HTTP2Server.bind(
        host: "127.0.0.1", port: 0, on: loops, limits: limits, tls: tls, logger: quiet
    ) { _ in TestHandler(witness) }
    do {
        let answer = try await body(server, witness)
        await server.shutdown(grace: .milliseconds(200))
        return answer
    } catch {
        await server.shutdown(grace: .milliseconds(200))
        throw error
    }
}

@discardableResult
func withClient<Answer>(
    limits: HTTP2Limits = HTTP2Limits(), tls: TLSCalling? = nil, _ body: (HTTP2Client) async throws -> Answer
) async throws -> Answer {
    let client = HTTP2Client(on: loops.next(), limits: limits, tls: tls, logger: quiet)
    do {
        let answer = try await body(client)
        await client.shutdown(grace: .milliseconds(200))
        return answer
    } catch {
        await client.shutdown(grace: .milliseconds(200))
        throw error
    }
}

/// Shared by all tests, for the process's life.
let loops = MultiThreadedEventLoopGroup.singleton

extension HTTP2Server {
    var address: HTTP2Address { HTTP2Address(host: "127.0.0.1", port: self.port) }
}

func request(_ method: HTTPRequest.Method, _ path: String) -> HTTPRequest {
    HTTPRequest(method: method, scheme: nil, authority: nil, path: path)
}
