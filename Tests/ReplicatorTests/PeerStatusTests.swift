import HTTP2Transport
import HTTPTypes
import LogModel
import Logging
import NIOCore
import NIOPosix
import Synchronization
import TestSupport
import Testing

@testable import Replicator

/// How nodes are asked how they are, on the peer port.
@Suite(.timeLimit(.minutes(1))) struct PeerStatusTests {
    private static func ask(
        _ node: Replicator, _ path: String, tls: TLSCalling? = nil
    ) async throws -> (status: Int, body: String) {
        let client = Self.client(tls: tls)
        defer { Task { await client.shutdown(grace: .zero) } }
        return try await Self.ask(node, path, by: client)
    }

    private static func client(tls: TLSCalling? = nil) -> HTTP2Client {
        HTTP2Client(
            on: MultiThreadedEventLoopGroup.singleton.next(), tls: tls,
            logger: Logger(label: "x") { _ in SwiftLogNoOpLogHandler() })
    }

    private static func ask(
        _ node: Replicator, _ path: String = "/peer/v1/status", by client: HTTP2Client
    ) async throws -> (status: Int, body: String) {
        let answer = try await client.execute(
            HTTPRequest(method: .get, scheme: nil, authority: "peer", path: path),
            to: HTTP2Address(host: "127.0.0.1", port: node.peerPort), timeout: .seconds(10),
            bodyByteCountMax: 64 << 10)
        return (answer.head.status.code, String(buffer: answer.body))
    }

    @Test func `a node tells its peers what it was given to tell, with the events behind a number`() async throws {
        let group = try await ReplicatorGroup()
        do {
            let node = try #require(group.nodes[NodeID(1)])
            let early = try await Self.ask(node, "/peer/v1/status")
            #expect(early.status == 503 && early.body == "This node is starting.\n")
            node.tellPeers { after in Array("after \(after.map { "\($0)" } ?? "none")".utf8) }
            #expect(try await Self.ask(node, "/peer/v1/status") == (200, "after none"))
            #expect(try await Self.ask(node, "/peer/v1/status?events_after=7") == (200, "after 7"))
            for query in ["?events_after=", "?events_after=-1", "?events_after=7&x=1", "?", "?x"] {
                #expect(try await Self.ask(node, "/peer/v1/status\(query)").status == 400, "\(query)")
            }
            #expect(try await Self.ask(node, "/peer/v1/statuses").status == 404)
        } catch { Issue.record(error) }
        await group.end()
    }

    @Test func `a connection may have so many open at a time, and others have theirs`() async throws {
        let group = try await ReplicatorGroup()
        do {
            let node = try #require(group.nodes[NodeID(1)])
            let isOpen = Mutex(false)
            node.tellPeers { _ in
                while !isOpen.withLock({ $0 }), !Task.isCancelled { try? await Task.sleep(for: .milliseconds(5)) }
                return Array("well".utf8)
            }
            let (client, other) = (Self.client(), Self.client())
            let (places, more) = (StatusPlaces.perConnectionMax, 4)
            let statuses = try await withThrowingTaskGroup(of: Int.self) { asking in
                for _ in 0..<places + more { asking.addTask { try await Self.ask(node, by: client).status } }
                var statuses: [Int] = []
                for try await status in asking {
                    statuses.append(status)
                    // The others have no answer until now.
                    guard statuses.count == more else { continue }
                    asking.addTask { try await Self.ask(node, by: other).status }
                    isOpen.withLock { $0 = true }
                }
                return statuses
            }
            #expect(statuses == Array(repeating: 429, count: more) + Array(repeating: 200, count: places + 1))
            #expect(try await Self.ask(node, by: client).status == 200, "its places are free again")
            await client.shutdown(grace: .zero)
            await other.shutdown(grace: .zero)
        } catch { Issue.record(error) }
        await group.end()
    }

    @Test func `with TLS only nodes are told`() async throws {
        let certificates = try TestCertificates()
        let stores = try [1, 2, 3].map { try certificates.node($0) }
        let billing = try TLSStore(certificates.issue(.client("billing", cluster: "test")))
        let group = try await ReplicatorGroup { $0.tls = stores[Int($0.node.rawValue) - 1] }
        do {
            let node = try #require(group.nodes[NodeID(1)])
            node.tellPeers { _ in Array("well".utf8) }
            func ask(with store: TLSStore) async throws -> Int {
                try await Self.ask(node, "/peer/v1/status", tls: TLSCalling(store, expecting: .node(nil))).status
            }
            #expect(try await ask(with: stores[1]) == 200)
            #expect(try await ask(with: billing) == 403)
        } catch { Issue.record(error) }
        await group.end()
    }
}
