import HTTPTypes
import Logging
import NIOCore
import NIOEmbedded
import NIOHTTPTypes
import Testing

@testable import HoldfastAdmin

/// The deadlines of requests, with a clock that only the test moves.
@Suite struct ConnectionDeadlinesTests {
    private final class Connection {
        let bounds = ConnectionBounds()
        let connections: AdminConnections
        let channel = EmbeddedChannel()

        init() throws {
            self.connections = AdminConnections(
                bounds: self.bounds, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
            try self.channel.pipeline.syncOperations.addHandler(ConnectionDeadlines(self.connections))
            try self.channel.connect(to: SocketAddress(ipAddress: "192.0.2.7", port: 1)).wait()
        }

        func begin(_ method: HTTPRequest.Method = .get) throws {
            let head = HTTPRequest(method: method, scheme: "http", authority: "n", path: "/")
            try self.channel.writeInbound(HTTPRequestPart.head(head))
        }

        func send(bytes count: Int) throws {
            try self.channel.writeInbound(HTTPRequestPart.body(ByteBuffer(repeating: 0, count: count)))
        }

        func end() throws { try self.channel.writeInbound(HTTPRequestPart.end(nil)) }

        func answer() throws {
            try self.channel.writeOutbound(HTTPResponsePart.head(HTTPResponse(status: .ok)))
            try self.channel.writeOutbound(HTTPResponsePart.end(nil))
        }

        func wait(_ milliseconds: UInt64) {
            self.channel.embeddedEventLoop.advanceTime(by: .milliseconds(Int64(milliseconds)))
        }

        func breaches(_ breach: ConnectionBreach) -> UInt64? { self.connections.metrics.breaches[breach.rawValue] }
    }

    @Test func `a body may take as long as it likes while a KiB comes in time`() throws {
        let connection = try Connection()
        let half = connection.bounds.bodyMilliseconds / 2
        try connection.begin(.post)
        for _ in 0..<100 {
            for _ in 0..<2 {
                connection.wait(half - 1)
                try connection.send(bytes: 512)
            }
        }
        // Less than that is nothing.
        connection.wait(half)
        try connection.send(bytes: 1_023)
        connection.wait(half - 1)
        #expect(connection.channel.isActive)
        connection.wait(1)
        #expect(!connection.channel.isActive)
        #expect(connection.breaches(.bodyDeadline) == 1)
    }

    @Test func `an answer before the end of the body does not end the wait for it`() throws {
        let connection = try Connection()
        try connection.begin(.post)
        try connection.answer()
        connection.wait(connection.bounds.bodyMilliseconds - 1)
        #expect(connection.channel.isActive)
        connection.wait(1)
        #expect(!connection.channel.isActive)
    }

    @Test func `a request that has come whole may be answered for hours`() throws {
        let connection = try Connection()
        try connection.begin()
        try connection.end()
        connection.wait(24 * 3_600 * 1_000)
        #expect(connection.channel.isActive)
        try connection.answer()
        connection.wait(connection.bounds.idleMilliseconds)
        #expect(!connection.channel.isActive)
        #expect(ConnectionBreach.allCases.allSatisfy { connection.breaches($0) == 0 })
    }

    @Test func `whoever sends several requests at once is idle once all are answered`() throws {
        let connection = try Connection()
        for _ in 0..<3 {
            try connection.begin()
            try connection.end()
        }
        for _ in 0..<2 { try connection.answer() }
        connection.wait(2 * connection.bounds.idleMilliseconds)
        #expect(connection.channel.isActive)
        try connection.answer()
        connection.wait(connection.bounds.idleMilliseconds)
        #expect(!connection.channel.isActive)
    }

    @Test func `whoever has closed its half is answered while anything is written, and is taken for gone then`() throws
    {
        let connection = try Connection()
        try connection.begin()
        try connection.end()
        connection.wait(2 * connection.bounds.idleMilliseconds)
        connection.channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        connection.wait(connection.bounds.idleMilliseconds - 1)
        try connection.channel.writeOutbound(HTTPResponsePart.head(HTTPResponse(status: .ok)))
        for _ in 0..<3 {
            connection.wait(connection.bounds.idleMilliseconds - 1)
            try connection.channel.writeOutbound(HTTPResponsePart.body(ByteBuffer(string: "x")))
        }
        #expect(connection.channel.isActive)
        connection.wait(connection.bounds.idleMilliseconds)
        #expect(!connection.channel.isActive)
        #expect(ConnectionBreach.allCases.allSatisfy { connection.breaches($0) == 0 })
    }

    @Test func `a body that nobody wants is thrown away up to a bound`() throws {
        let connection = try Connection()
        try connection.begin(.post)
        try connection.answer()
        for _ in 0..<64 { try connection.send(bytes: 1 << 20) }
        #expect(connection.channel.isActive)
        try connection.send(bytes: 1)
        #expect(!connection.channel.isActive)
        #expect(connection.breaches(.bodyBytes) == 1)
    }
}
