import HTTP2Transport
import HTTPTypes
import LogModel
import Logging
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import HoldfastClient

@Suite struct SessionLoadTests {
    private func load(at address: ServerAddress, sessions: Int, milliseconds: UInt64 = 300) -> SessionLoad {
        SessionLoad(
            server: address, sessions: sessions, inFlight: 2, batch: 1, size: 10, data: .letters,
            warmUpMilliseconds: 0, durationMilliseconds: milliseconds)
    }

    @Test func `a few sessions are opened at a time, and all of them before the first batch is sent`() async throws {
        let sessions = 3 * AppendLoad.openingMax
        // In a short time a busy machine may give nobody a turn.
        for milliseconds: UInt64 in [300, 1_000, 4_000] {
            let server = SessionServer(of: sessions)
            let address = try await server.start()
            let result = await self.load(at: address, sessions: sessions, milliseconds: milliseconds).run()
            await server.stop()
            #expect(result.failureCount == 0, "\(result.failure ?? "")")
            let seen = server.seen
            #expect(seen.openingMax == AppendLoad.openingMax)
            guard result.acknowledgedCount > 0 else { continue }
            #expect(result.isPersisted && seen.openedAtFirstBatch == sessions)
            return
        }
        Issue.record("nothing was acknowledged")
    }

    @Test func `sessions that are not opened are counted, and the first says why`() async throws {
        let server = SessionServer(of: 0)
        let address = try await server.start()
        // Nobody listens there any more.
        await server.stop()
        let edges = Mutex<[LoadWindow.Edge]>([])
        var load = self.load(at: address, sessions: 3)
        load.reached = { edge in edges.withLock { $0.append(edge) } }
        let result = await load.run()
        #expect(result.failureCount == 3 && result.acknowledgedCount == 0)
        #expect(result.failure?.hasPrefix("a session was not opened: ") == true, "\(result.failure ?? "")")
        #expect(edges.withLock { $0.isEmpty })
    }
}

/// Opens sessions only when as many wait as may be opened at once, or all that are left; then acknowledges every batch.
private final class SessionServer: Sendable {
    struct Seen {
        /// Connections of sessions that were not open, at most.
        var openingMax = 0
        var openedCount = 0
        /// How many sessions were open when the first batch came.
        var openedAtFirstBatch: Int?
    }

    private struct State {
        var seen = Seen()
        var waiting: [NIOLoopBound<HTTP2Stream>] = []
        var server: HTTP2Server?
    }

    private let sessions: Int
    private let state = Mutex(State())

    init(of sessions: Int) { self.sessions = sessions }

    var seen: Seen { self.state.withLock { $0.seen } }

    func start() async throws -> ServerAddress {
        // One loop: handlers answer each other's streams.
        let server = try await HTTP2Server.bind(
            host: "127.0.0.1", port: 0, on: MultiThreadedEventLoopGroup.singleton.next(),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        ) { _ in Handler(server: self) }
        self.state.withLock { $0.server = server }
        return ServerAddress(host: "127.0.0.1", port: server.port)
    }

    func stop() async {
        await self.state.withLock { $0.server }?.shutdown(grace: .zero)
        self.state.withLock { $0.server = nil }
    }

    private func asked(_ stream: HTTP2Stream) {
        let ready = self.state.withLock { state -> [NIOLoopBound<HTTP2Stream>] in
            state.waiting.append(NIOLoopBound(stream, eventLoop: stream.eventLoop))
            let opening = (state.server?.connectionCount ?? 0) - state.seen.openedCount
            state.seen.openingMax = max(state.seen.openingMax, opening)
            guard state.waiting.count == min(AppendLoad.openingMax, self.sessions - state.seen.openedCount) else {
                return []
            }
            state.seen.openedCount += state.waiting.count
            defer { state.waiting = [] }
            return state.waiting
        }
        for stream in ready {
            stream.value.send(
                head: HTTPResponse(status: .ok, headerFields: [.contentType: SessionBatch.contentType]))
        }
    }

    private func batchCame() {
        self.state.withLock { state in
            state.seen.openedAtFirstBatch = state.seen.openedAtFirstBatch ?? state.seen.openedCount
        }
    }

    private final class Handler: HTTP2ServerHandler {
        private let server: SessionServer
        private var input = ByteBuffer()

        init(server: SessionServer) { self.server = server }

        func received(head: HTTPRequest, on stream: HTTP2Stream) {
            stream.isLongLived = true
            self.server.asked(stream)
        }

        func received(body: ByteBuffer, on stream: HTTP2Stream) {
            self.server.batchCame()
            self.input.add(body)
            var answers = ByteBuffer()
            do throws(FrameError) {
                while let batch = try SessionBatch.next(from: &self.input) {
                    let receipt = AppendReceipt(
                        first: LogIndex(1), last: LogIndex(UInt64(batch.count)), position: Position(0, 64),
                        term: Term(1), durability: .persisted, nodes: 2, voters: 3, isDuplicate: false)
                    SessionAnswer.acknowledged(sequence: batch.sequence, receipt).encode(into: &answers)
                }
            } catch {
                return stream.reset()
            }
            stream.send(answers)
        }

        func receivedEnd(on stream: HTTP2Stream) { stream.finish() }
        func closed(_ reason: HTTP2CloseReason, on stream: HTTP2Stream) {}
    }
}
