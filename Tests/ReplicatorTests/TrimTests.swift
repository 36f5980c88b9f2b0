import Foundation
import HTTP2Transport
import HTTPTypes
import LogModel
import Logging
import NIOCore
import NIOPosix
import RangeCodec
import ReplicaCore
import Replicator
import SegmentFormat
import Testing

@Suite(.serialized) struct TrimTests {
    private static func group() async throws -> ReplicatorGroup {
        try await ReplicatorGroup { $0.segmentByteCountMax = 1 << 20 }
    }

    /// Appends records of 100 kB of text, each of its own.
    private static func append(_ count: Int, to node: Replicator) async throws {
        for number in 0..<count {
            let text = (0..<2_000).map { "record \(number) line \($0) of a text that goes on" }.joined(separator: "\n")
            _ = try await node.append(Submission(try FrameDraft.records([Record(text)])))
        }
    }

    @Test func `a trimmed log begins later on every node, and reads say so`() async throws {
        let group = try await Self.group()
        do {
            let leader = try await group.leader()
            try await Self.append(40, to: leader)
            let outcome = try await leader.trimmed(before: LogIndex(35))
            #expect(outcome.firstIndex > LogIndex(10) && outcome.firstIndex <= LogIndex(35))
            #expect(try await leader.trimmed(before: LogIndex(35)) == outcome)
            try await group.until { group in
                var firsts: Set<LogIndex> = []
                for node in group.nodes.values { firsts.insert(await node.status().firstIndex) }
                return firsts == [outcome.firstIndex]
            }
            let page = try await leader.read(from: .first, limit: 1, byteCountMax: 1, consistency: .linearizable)
            #expect(page.records.first?.index == outcome.firstIndex)
            await #expect(throws: ReadFailure.trimmed(first: outcome.firstIndex)) {
                try await leader.read(from: .index(.first), limit: 1, byteCountMax: 1, consistency: .linearizable)
            }
        } catch { Issue.record(error) }
        await group.end()
    }

    @Test func `a node that lacks what was trimmed fetches the first segment, and becomes level without a restart`()
        async throws
    {
        let group = try await Self.group()
        do {
            let leader = try await group.leader()
            let status = await leader.status()
            let late = try #require(group.nodes.keys.sorted().first { $0 != status.node })
            await group.stop(late)
            try await Self.append(60, to: leader)
            let outcome = try await leader.trimmed(before: LogIndex(50))
            try await group.start(late)
            try await group.until { await $0.areLevel() }
            let node = try #require(group.nodes[late])
            #expect(await node.status().firstIndex == outcome.firstIndex)
            try await Self.append(5, to: leader)
            #expect(await node.waitForCommit(of: LogIndex(65), timeoutMilliseconds: 10_000))
            let name = "\(outcome.first.fileName)"
            let files = try [late, status.node].map { try Data(contentsOf: group.file(name, of: $0)) }
            let isSame = files[0] == files[1]
            #expect(isSame)
        } catch { Issue.record(error) }
        await group.end()
    }

    @Test func `a member without a log begins with a copy of the first segment, when the founders' log is trimmed`()
        async throws
    {
        let late = NodeID(3)
        let group = try await ReplicatorGroup(blank: late) { $0.segmentByteCountMax = 1 << 20 }
        do {
            _ = try await group.leader()
            await group.stop(late)
            let leader = try await group.leader()
            try await Self.append(40, to: leader)
            let outcome = try await leader.trimmed(before: LogIndex(35))
            try group.restoreBlank(late)
            try await group.start(late)
            try await group.until { await $0.areLevel() }
            #expect(await group.nodes[late]?.status().firstIndex == outcome.firstIndex)
        } catch { Issue.record(error) }
        await group.end()
    }

    // MARK: The segments route

    private struct Peer {
        let client: HTTP2Client
        let port: Int

        func get(_ path: String, _ fields: HTTPFields = [:]) async throws -> HTTP2Answer {
            try await self.client.execute(
                HTTPRequest(
                    method: .get, scheme: "http", authority: nil, path: "/peer/v1/segments/\(path)",
                    headerFields: fields),
                to: HTTP2Address(host: "127.0.0.1", port: self.port), timeout: .seconds(10), bodyByteCountMax: 8 << 20)
        }
    }

    /// A led group with sealed segments, of which the first was trimmed, and the way to its leader's peer port.
    private func with(_ body: (ReplicatorGroup, Peer, NodeID, TrimOutcome) async throws -> Void) async throws {
        let group = try await Self.group()
        let client = HTTP2Client(
            on: MultiThreadedEventLoopGroup.singleton.next(),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        do {
            let leader = try await group.leader()
            try await Self.append(40, to: leader)
            let outcome = try await leader.trimmed(before: LogIndex(15))
            try await body(
                group, Peer(client: client, port: leader.peerPort), await leader.status().node, outcome)
        } catch { Issue.record(error) }
        await client.shutdown()
        await group.end()
    }

    @Test func `a sealed segment is served whole and in pieces, plain and deflated`() async throws {
        try await self.with { group, peer, node, outcome in
            let first = outcome.first.rawValue
            let file = try Data(contentsOf: group.file(outcome.first.fileName, of: node))
            let plain = try await peer.get("\(first)")
            #expect(plain.head.status == .ok)
            #expect(plain.head.headerFields[.contentLength] == "\(file.count)")
            let isWhole = Data(plain.body.readableBytesView) == file
            #expect(isWhole)
            let piece = try await peer.get("\(first)?offset=1000&length=300000")
            let isPiece = Data(piece.body.readableBytesView) == file[1_000..<301_000]
            #expect(isPiece)
            let deflated = try await peer.get("\(first)?offset=1000", [.acceptEncoding: "gzip, deflate"])
            #expect(deflated.head.headerFields[.contentEncoding] == "deflate")
            #expect(deflated.body.readableBytes < file.count / 3)
            var inflater = Inflater()
            let body = Array(deflated.body.readableBytesView)
            let raw = try inflater.inflate(body.span.bytes, rawByteCount: file.count - 1_000)
            let isSame = Data(raw) == file[1_000...]
            #expect(isSame)
            let tag = try #require(plain.head.headerFields[.eTag])
            #expect(tag == piece.head.headerFields[.eTag] && tag != deflated.head.headerFields[.eTag])
            #expect(try await peer.get("first?length=1").head.headerFields[.eTag] == tag)
            let next = try await peer.get("\(first + 1)")
            #expect(next.head.headerFields[.eTag] != tag)
        }
    }

    @Test func `what is trimmed, not there, not sealed, or behind the end is refused in words`() async throws {
        try await self.with { group, peer, node, outcome in
            let first = outcome.first.rawValue
            let active = try #require(await group.nodes[node]?.status().tail.segment)
            let expected: [(path: String, status: HTTPResponse.Status, words: String)] = [
                ("0", .notFound, "segment 0 was trimmed; the log begins with segment \(first)"),
                ("99", .notFound, "there is no segment 99; the log ends in segment \(active)"),
                ("\(active)", .conflict, "segment \(active) is not sealed and committed here yet"),
                ("\(first)?offset=4000000", .rangeNotSatisfiable, "4000000 is behind it"),
                ("last", .badRequest, "last is not the number of a segment"),
                ("\(first)?length=0", .badRequest, "length from 1"),
                ("\(first)?limit=1", .badRequest, "limit=1 is not understood"),
            ]
            for (path, status, words) in expected {
                let answer = try await peer.get(path)
                #expect(answer.head.status == status, "\(path)")
                #expect(String(buffer: answer.body).contains(words), "\(path)")
            }
        }
    }
}
