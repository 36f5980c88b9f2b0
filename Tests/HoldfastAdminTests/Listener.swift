import HoldfastClient
import Logging
import NIOCore
import NIOPosix
import Testing

@testable import HoldfastAdmin

/// A real admin listener over a stand-in, and a client that sends what the test wrote, byte for byte.
struct Listener {
    struct Answer {
        var status: Int
        /// Lower-cased names.
        var fields: [String: String]
        var body: String

        func json<Document: Decodable>(_ type: Document.Type) -> Document? {
            JSONDocument.decode(type, from: self.body.utf8)
        }

        /// - Returns: `nil` when `text` is no HTTP/1.1 answer; a chunked body stays as it travelled.
        init?(_ text: String) {
            guard text.hasPrefix("HTTP/1.1 "), let status = Int(text.dropFirst(9).prefix(3)) else { return nil }
            let halves = text.split(separator: "\r\n\r\n", maxSplits: 1, omittingEmptySubsequences: false)
            self.status = status
            self.fields = [:]
            for line in halves[0].split(separator: "\r\n").dropFirst() {
                let parts = line.split(separator: ":", maxSplits: 1)
                self.fields[parts[0].lowercased()] = parts.dropFirst().joined().drop { $0 == " " }.description
            }
            self.body = halves.count > 1 ? String(halves[1]) : ""
        }
    }

    let node: FakeNode
    let server: AdminServer

    static func with(
        authority: any AdminAuthority = OpenToAll(), door: (any ClientDoor)? = nil,
        bounds: ConnectionBounds = ConnectionBounds(), journal: any LogHandler = SwiftLogNoOpLogHandler(),
        _ body: (Listener) async throws -> Void
    ) async throws {
        let node = FakeNode()
        let server = try await AdminServer.start(
            ServerAddress(host: "127.0.0.1", port: 0), node: node, door: door, names: ["holdfast.example"],
            authority: authority, bounds: bounds,
            on: MultiThreadedEventLoopGroup.singleton.next(),
            logger: Logger(label: "test") { _ in journal })
        do { try await body(Listener(node: node, server: server)) } catch {
            await server.shutdown()
            throw error
        }
        await server.shutdown()
    }

    func get(_ path: String, host: String = "localhost", _ fields: String...) async throws -> Answer {
        try await self.ask("GET", path, host: host, fields)
    }

    func ask(_ method: String, _ path: String, host: String = "localhost", _ fields: [String] = []) async throws
        -> Answer
    {
        let lines = ["\(method) \(path) HTTP/1.1", "Host: \(host)", "Connection: close"] + fields
        let text = try await self.send(lines.map { $0 + "\r\n" }.joined() + "\r\n")
        return try #require(Answer(text), "\(text)")
    }

    /// - Parameter enough: Ends the connection from here once it is satisfied with what has come.
    /// - Returns: All that came until either side closed.
    func send(_ text: String, until enough: @Sendable (String) -> Bool = { _ in false }) async throws -> String {
        try await self.send(ByteBuffer(string: text), until: enough)
    }

    func send(_ bytes: ByteBuffer, until enough: @Sendable (String) -> Bool = { _ in false }) async throws -> String {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(host: "127.0.0.1", port: self.server.port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        return try await channel.executeThenClose { inbound, outbound in
            try await outbound.write(bytes)
            var received = ByteBuffer()
            for try await part in inbound {
                received.writeImmutableBuffer(part)
                if enough(String(buffer: received)) { break }
            }
            return String(buffer: received)
        }
    }
}
