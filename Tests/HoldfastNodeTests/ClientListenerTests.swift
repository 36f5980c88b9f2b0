import HTTP2Transport
import HTTPTypes
import HoldfastClient
import LogModel
import Logging
import NIOCore
import NIOPosix
import ReplicaCore
import Replicator
import SegmentFormat
import TestSupport
import Testing
import Tracing

@testable import HoldfastNode

/// Client listeners of real sockets over logs in memory.
struct Listener {
    let log: FakeLog
    let api: ClientAPI
    let server: HTTP2Server
    let forwarder: LeaderForwarder
    let client: HTTP2Client
    var address: ServerAddress { ServerAddress(host: "127.0.0.1", port: self.server.port) }

    /// - Parameter leader: Where node 2 is; this node is node 1 and follows it when it is given.
    static func start(
        leader: ServerAddress? = nil, security: SecurityWatch? = nil, tracer: (any Tracer)? = nil,
        unfinishedByteCountMax: Int = NodeLimits.unfinishedByteCountMax, limits: HTTP2Limits = .untrusted
    ) async throws -> Listener {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let log = FakeLog(node: NodeID(1), leader: leader == nil ? NodeID(1) : NodeID(2))
        let forwarder = LeaderForwarder(eventLoop: loop, logger: logger)
        log.setPeers(FakeLog.peers(ports: [1, leader?.port ?? 2]))
        let api = ClientAPI(
            service: log, node: NodeID(1), forwarder: forwarder, security: security, tracer: tracer,
            unfinishedByteCountMax: unfinishedByteCountMax, on: loop, logger: logger)
        let server = try await HTTP2Server.bind(
            host: "127.0.0.1", port: 0, on: loop, limits: limits, logger: logger
        ) {
            _ in ClientRequestHandler(api: api)
        }
        return Listener(
            log: log, api: api, server: server, forwarder: forwarder, client: HTTP2Client(on: loop, logger: logger))
    }

    static func with(
        security: SecurityWatch? = nil, unfinishedByteCountMax: Int = NodeLimits.unfinishedByteCountMax,
        limits: HTTP2Limits = .untrusted, _ body: (Listener) async throws -> Void
    ) async throws {
        let listener = try await self.start(
            security: security, unfinishedByteCountMax: unfinishedByteCountMax, limits: limits)
        do { try await body(listener) } catch {
            await listener.stop()
            throw error
        }
        await listener.stop()
    }

    func stop() async {
        self.log.stop()
        await self.client.shutdown(grace: .milliseconds(100))
        await self.server.shutdown(grace: .milliseconds(100))
        await self.forwarder.shutdown()
    }

    func ask(
        _ method: HTTPRequest.Method, _ path: String, _ fields: HTTPFields = [:], body: String? = nil
    ) async throws -> (status: Int, fields: HTTPFields, body: String) {
        let answer = try await self.fetch(method, path, fields, body: body.map { ByteBuffer(string: $0) })
        return (answer.head.status.code, answer.head.headerFields, String(buffer: answer.body))
    }

    func fetch(
        _ method: HTTPRequest.Method, _ path: String, _ fields: HTTPFields = [:], body: ByteBuffer? = nil
    ) async throws -> HTTP2Answer {
        try await self.client.execute(
            HTTPRequest(method: method, scheme: "http", authority: "test", path: path, headerFields: fields),
            body: body, to: HTTP2Address(host: "127.0.0.1", port: self.server.port), timeout: .seconds(20),
            bodyByteCountMax: 64 << 20)
    }
}

@Suite struct ClientListenerTests {
    @Test func `an append is acknowledged with its place, and read back`() async throws {
        try await Listener.with { listener in
            let append = try await listener.ask(.post, "/v1/records", body: "hello \"you\"")
            #expect(append.status == 201)
            #expect(append.fields[.contentType] == "application/json")
            #expect(append.fields[.holdfastServedBy] == "1")
            #expect(append.body.hasPrefix(#"{"first":1,"last":1,"position":"0:"#))
            #expect(append.body.hasSuffix(#","term":3,"durability":"persisted","nodes":2,"voters":3}"# + "\n"))
            let page = try await listener.ask(.get, "/v1/records")
            #expect(page.status == 200)
            #expect(page.fields[.holdfastNextIndex] == "2")
            #expect(page.fields[.holdfastUpToDate] == "true")
            #expect(page.body.contains(#""timestamp":"1970-01-01T00:00:00.000001000Z","value":"hello \"you\""}"#))
            #expect(page.body.hasSuffix(#"],"next":2,"up_to_date":true,"first_index":1,"last_index":1}"# + "\n"))
        }
    }

    @Test func `an append is answered when all voters have it, or says that it stays although they have not`()
        async throws
    {
        try await Listener.with { listener in
            let missing = try await listener.ask(.post, "/v1/records?ack=all&wait=10ms", body: "a")
            #expect(missing.status == 504 && missing.body.contains(#""applied":"yes""#))
            #expect(missing.body.contains(#""nodes":2"#))
            listener.log.setLaggards(0)
            let whole = try await listener.ask(.post, "/v1/records?ack=all", body: "b")
            #expect(whole.status == 201 && whole.body.contains(#""first":2"#))
            #expect(whole.body.contains(#""nodes":3,"voters":3"#))
        }
    }

    @Test func `a read waits for its min_index, or says how far this node is`() async throws {
        try await Listener.with { listener in
            let behind = try await listener.ask(.get, "/v1/records?consistency=committed&min_index=2&wait=0s")
            #expect(behind.status == 503 && behind.body.contains("BEHIND"))
            #expect(behind.fields[.holdfastNextIndex] == "1" && behind.fields[.retryAfter] == "1")
            async let waiting = listener.ask(.get, "/v1/records?consistency=committed&min_index=2&wait=20s")
            for text in ["a", "b"] { _ = try await listener.ask(.post, "/v1/records", body: text) }
            let page = try await waiting
            #expect(page.status == 200 && page.fields[.holdfastNextIndex] == "3")
            let following = try await listener.ask(.get, "/v1/records?follow=true&limit=1&min_index=3&wait=0s")
            #expect(following.status == 503 && following.body.contains("BEHIND"))
        }
    }

    @Test func `a repeated sequence is answered with the first result`() async throws {
        try await Listener.with { listener in
            let fields: HTTPFields = [.holdfastProducer: "7", .holdfastSequence: "1"]
            let first = try await listener.ask(.post, "/v1/records", fields, body: "a")
            let second = try await listener.ask(.post, "/v1/records", fields, body: "a")
            #expect(first.status == 201)
            #expect(first.fields[.holdfastDuplicate] == nil)
            #expect(second.status == 200)
            #expect(second.fields[.holdfastDuplicate] == "true")
            #expect(second.body == first.body)
            #expect(listener.log.values == ["a"])
        }
    }

    @Test func `a page that is long as JSON ends sooner, and one record always fits`() async throws {
        try await Listener.with { listener in
            // Six bytes of JSON for each.
            for _ in 0..<3 {
                let append = try await listener.ask(
                    .post, "/v1/records", body: String(repeating: "\u{1}", count: 500_000))
                #expect(append.status == 201)
            }
            let page = try await listener.ask(.get, "/v1/records")
            #expect(page.fields[.holdfastNextIndex] == "3" && page.fields[.holdfastUpToDate] == "false")
            #expect((6_000_000..<NodeLimits.pageAnswerByteCountMax).contains(page.body.utf8.count))
            #expect(page.body.hasSuffix(#""next":3,"up_to_date":false,"first_index":1,"last_index":3}"# + "\n"))
            let rest = try await listener.ask(.get, "/v1/records?from=3")
            #expect(rest.fields[.holdfastNextIndex] == "4" && rest.fields[.holdfastUpToDate] == "true")
            _ = try await listener.ask(.post, "/v1/records", body: String(repeating: "\u{1}", count: 1_500_000))
            let large = try await listener.ask(.get, "/v1/records?from=4")
            #expect(large.body.utf8.count > 9_000_000 && large.fields[.holdfastNextIndex] == "5")
        }
    }

    @Test func `pages are cut where asked, and lines come on request`() async throws {
        try await Listener.with { listener in
            let lines: HTTPFields = [.contentType: "application/x-ndjson"]
            #expect(try await listener.ask(.post, "/v1/records", lines, body: "a\nb\nc\nd\n").status == 201)
            let page = try await listener.ask(.get, "/v1/records?from=2&to=4", [.accept: "application/x-ndjson"])
            #expect(page.fields[.contentType] == "application/x-ndjson")
            #expect(page.fields[.holdfastNextIndex] == "4")
            #expect(page.fields[.holdfastUpToDate] == "false")
            let found = page.body.split(separator: "\n")
            #expect(found.count == 2)
            #expect(found.first?.hasSuffix(#""value":"b"}"#) == true)
            let last = try await listener.ask(.get, "/v1/records?from=-1")
            #expect(last.body.contains(#""index":4,"#))
            let none = try await listener.ask(.get, "/v1/records?limit=0")
            #expect(none.body.hasPrefix(#"{"records":[],"next":1,"up_to_date":false"#))
            let ahead = try await listener.ask(.get, "/v1/records?from=90")
            #expect(ahead.fields[.holdfastNextIndex] == "90")
            #expect(ahead.fields[.holdfastUpToDate] == "true")
        }
    }

    @Test func `one record may be cached for ever, a missing one is 404`() async throws {
        try await Listener.with { listener in
            _ = try await listener.ask(.post, "/v1/records", body: "a")
            let record = try await listener.ask(.get, "/v1/records/1")
            #expect(record.status == 200)
            #expect(record.fields[.cacheControl]?.contains("immutable") == true)
            let missing = try await listener.ask(.get, "/v1/records/2")
            #expect(missing.status == 404)
            #expect(missing.body.contains("NO_SUCH_RECORD"))
        }
    }

    @Test func `what the client has already is 304`() async throws {
        try await Listener.with { listener in
            _ = try await listener.ask(.post, "/v1/records", body: "a")
            for (method, path, tag) in [(HTTPRequest.Method.get, "/v1/records/1", "1"), (.head, "/v1/records", "2")] {
                let there = try await listener.ask(method, path, [.ifNoneMatch: "\"0\""])
                #expect(there.status == 200 && there.fields[.eTag] == "\"\(tag)\"")
                for known in ["\"\(tag)\"", "\"0\", W/\"\(tag)\"", "*"] {
                    let same = try await listener.ask(method, path, [.ifNoneMatch: known])
                    #expect(same.status == 304 && same.body.isEmpty && same.fields[.eTag] == "\"\(tag)\"")
                }
            }
        }
    }

    @Test func `a head or a target that is too long is refused in words, and what is quoted is cut`() async throws {
        try await Listener.with { listener in
            let head = try await listener.ask(
                .get, "/v1/cluster", [.accept: String(repeating: "a", count: 40 << 10)])
            #expect(head.status == 431 && head.body.contains("HEAD_TOO_LARGE"))
            let path = "/v1/records?from=" + String(repeating: "1", count: NodeLimits.targetByteCountMax)
            let target = try await listener.ask(.get, path)
            #expect(target.status == 414 && target.body.contains("URI_TOO_LONG"))
            let quoted = try await listener.ask(.get, String(path.prefix(4_000)))
            #expect(quoted.status == 400 && quoted.body.utf8.count < 600 && quoted.body.contains("1 ..."))
        }
    }

    @Test func `bytes that are no text travel as base64`() async throws {
        try await Listener.with { listener in
            let json: HTTPFields = [.contentType: "application/json"]
            _ = try await listener.ask(
                .post, "/v1/records", json, body: #"[{"keyBase64":"/w==","valueBase64":"/wA="}]"#)
            let page = try await listener.ask(.get, "/v1/records")
            #expect(page.body.contains(#""keyBase64":"/w==","valueBase64":"/wA="}"#))
        }
    }

    @Test func `members are added, promoted and removed`() async throws {
        try await Listener.with { listener in
            let added = try await listener.ask(
                .post, "/admin/v1/members?node=4&peer=h:1&client=[::1]:2&replaces=3&promote=false")
            #expect(added.status == 200 && added.body == #"{"learners":[],"outgoing":[],"voters":[1]}"# + "\n")
            #expect(try await listener.ask(.post, "/admin/v1/members?node=4").status == 200)
            #expect(try await listener.ask(.post, "/admin/v1/members/4/promote").status == 200)
            #expect(try await listener.ask(.delete, "/admin/v1/members/4").status == 200)
            let node = NodeID(4)
            #expect(
                listener.log.memberRequests == [
                    .add(
                        node, at: MemberAddress(peer: "h:1", client: "[::1]:2"), replaces: NodeID(3), isPromoted: false),
                    .add(node, at: nil, replaces: nil, isPromoted: true), .promote(node), .remove(node),
                ])
        }
    }

    @Test(arguments: [
        "", "?node=0", "?node=x", "?node=4&peer=h:1", "?node=4&client=h:1", "?node=4&peer=h&client=h:1",
        "?node=4&promote=perhaps", "?node=4&replaces=0", "?node=4&weight=2",
    ])
    func `a member that is described wrongly is refused`(query: String) async throws {
        try await Listener.with { listener in
            let answer = try await listener.ask(.post, "/admin/v1/members" + query)
            #expect(answer.status == 400 && answer.body.contains(#""applied":"no""#))
            #expect(listener.log.memberRequests.isEmpty)
        }
    }

    private static let memberFailures: [(MemberFailure, Int, String)] = [
        (.change(.unknownOutcome), 504, "COMMIT_TIMEOUT"), (.noAddress(NodeID(4)), 400, "BAD_REQUEST"),
        (.change(.refused(.isUnderWay)), 409, "CHANGE_UNDER_WAY"),
        (.change(.refused(.unknownNode(NodeID(4)))), 404, "NO_SUCH_MEMBER"),
        (.change(.refused(.lastVoter)), 409, "LAST_VOTER"),
        (.change(.refused(.leads(NodeID(4)))), 409, "NODE_LEADS"),
        (.change(.refused(.tooManyMembers)), 409, "TOO_MANY_MEMBERS"),
        (
            .change(.refused(.otherIncarnation(Member(node: NodeID(4), incarnation: Incarnation(1))))), 409,
            "OTHER_INCARNATION"
        ),
        (.unreachable(NodeID(4), at: "h:1"), 409, "NODE_UNREACHABLE"),
        (.otherNode(NodeID(5), at: "h:1"), 409, "OTHER_NODE"),
        (.otherVersion(NodeID(4), 2), 409, "OTHER_VERSION"),
        (.otherCluster(NodeID(4), ClusterID(high: 1, low: 2)), 409, "OTHER_CLUSTER"),
    ]

    @Test(arguments: memberFailures)
    func `why members stay as they are is said by name`(failure: MemberFailure, status: Int, code: String) async throws
    {
        try await Listener.with { listener in
            listener.log.fail(members: failure)
            let answer = try await listener.ask(.delete, "/admin/v1/members/4")
            #expect(answer.status == status && answer.body.contains("\"code\":\"\(code)\""))
            let applied = status == 504 ? "unknown" : "no"
            #expect(answer.body.contains("\"applied\":\"\(applied)\""))
        }
    }

    @Test func `the tail and the cluster can be asked for`() async throws {
        try await Listener.with { listener in
            _ = try await listener.ask(.post, "/v1/records", body: "a")
            let tail = try await listener.ask(.head, "/v1/records")
            #expect(tail.status == 200)
            #expect(tail.fields[.holdfastNextIndex] == "2")
            #expect(tail.fields[.eTag] == "\"2\"")
            #expect(tail.body.isEmpty)
            let cluster = try await listener.ask(.get, "/v1/cluster")
            let status = try #require(JSONDocument.decode(ClusterStatus.self, from: Array(cluster.body.utf8)))
            #expect(status.role == "leader")
            #expect(status.leader == 1)
            #expect(status.nodes.count == 2)
            #expect(status.nodes[1].isConnected == true)
            #expect(status.nodes[1].received == "0:64")
        }
    }

    @Test(arguments: [
        (HTTPRequest.Method.get, "/nowhere", 404), (.delete, "/v1/records", 405), (.get, "/v1/records?from=x", 400),
    ])
    func `an error is a problem document`(method: HTTPRequest.Method, path: String, status: Int) async throws {
        try await Listener.with { listener in
            let answer = try await listener.ask(method, path)
            #expect(answer.status == status)
            #expect(answer.fields[.contentType] == "application/problem+json")
            let problem = try #require(ProblemDocument(json: Array(answer.body.utf8)))
            #expect(problem.status == status)
            #expect(!problem.requestID.isEmpty)
        }
    }

    @Test func `a body over the limit is 413, announced or not, and reaches no log`() async throws {
        try await Listener.with { listener in
            let large = String(repeating: "x", count: NodeLimits.bodyByteCountMax + 1)
            let answer = try await listener.ask(.post, "/v1/records", body: large)
            #expect(answer.status == 413)
            let announced: HTTPFields = [.contentLength: "\(NodeLimits.bodyByteCountMax + 1)"]
            #expect(try await listener.ask(.post, "/v1/records", announced, body: large).status == 413)
            #expect(listener.log.appendCount == 0)
            let largest = String(repeating: "x", count: NodeLimits.bodyByteCountMax)
            #expect(try await listener.ask(.post, "/v1/records", body: largest).status == 201)
        }
    }

    @Test func `a large batch is answered like a small one, good or bad`() async throws {
        try await Listener.with { listener in
            let json: HTTPFields = [.contentType: "application/json"]
            let long = String(repeating: "x", count: 2 * NodeLimits.bodyByteCountOnLoopMax)
            let good = try await listener.ask(.post, "/v1/records", json, body: #"["a","\#(long)"]"#)
            #expect(good.status == 201)
            #expect(good.body.contains(#""first":1,"last":2"#))
            let bad = try await listener.ask(.post, "/v1/records", json, body: #"["a","\#(long)""#)
            #expect(bad.status == 400)
            #expect(bad.body.contains(#""applied":"no""#))
            #expect(listener.log.appendCount == 1)
        }
    }

    @Test func `a failure says whether it was applied`() async throws {
        try await Listener.with { listener in
            listener.log.fail(appends: .timedOut)
            let answer = try await listener.ask(.post, "/v1/records", body: "a")
            #expect(answer.status == 504)
            #expect(answer.body.contains(#""applied":"unknown""#))
            listener.log.fail(appends: .noSpace)
            #expect(try await listener.ask(.post, "/v1/records", body: "a").status == 507)
        }
    }

    @Test func `a waiting read is answered by the next append`() async throws {
        try await Listener.with { listener in
            async let page = listener.ask(.get, "/v1/records?from=tail&wait=30s")
            try await listener.untilSomebodyWaits()
            _ = try await listener.ask(.post, "/v1/records", body: "late")
            #expect(try await page.body.contains(#""value":"late""#))
        }
    }

    @Test func `a trim is answered with where the log begins, by query or by body`() async throws {
        try await Listener.with { listener in
            for (path, body) in [("/v1/trim?before=7", nil), ("/v1/trim", #"{"before":7}"#)] {
                let trim = try await listener.ask(.post, path, body: body)
                #expect(trim.status == 200)
                #expect(trim.body == #"{"first_index":7,"first_segment":2}"# + "\n")
            }
            listener.log.fail(trims: .timedOut)
            let late = try await listener.ask(.post, "/v1/trim?before=7")
            #expect(late.status == 504 && late.body.contains(#""applied":"unknown""#))
        }
    }

    @Test(arguments: [
        ("/v1/trim", nil), ("/v1/trim?before=0", nil), ("/v1/trim?before=x", nil), ("/v1/trim?after=1", nil),
        ("/v1/trim", "{}"), ("/v1/trim?before=2", #"{"before":1}"#),
    ])
    func `a trim without one clear index is refused, and nothing is asked of the log`(
        path: String, body: String?
    ) async throws {
        try await Listener.with { listener in
            let trim = try await listener.ask(.post, path, body: body)
            #expect(trim.status == 400 && trim.body.contains(#""applied":"no""#))
            #expect(try await listener.ask(.get, "/v1/trim").status == 405)
        }
    }

    @Test func `a follower forwards a trim with its body to the leader`() async throws {
        let leader = try await Listener.start()
        let follower = try await Listener.start(leader: leader.address)
        leader.log.setLeader(NodeID(1))
        let trim = try await follower.ask(.post, "/v1/trim", body: #"{"before":7}"#)
        #expect(trim.status == 200 && trim.body.contains(#""first_index":7"#))
        let kept = try await follower.ask(.post, "/v1/trim?forward=never", body: #"{"before":7}"#)
        #expect(kept.status == 421)
        await follower.stop()
        await leader.stop()
    }
}

extension Listener {
    func untilSomebodyWaits() async throws {
        while self.log.waiterCount == 0 { await Task.yield() }
    }
}

@Suite struct ForwardingTests {
    @Test func `a follower's append and read are answered by the leader`() async throws {
        // The leader calls itself node 1 too: what counts is that the request arrives there, marked.
        try await Listener.with { leader in
            let follower = try await Listener.start(leader: leader.address)
            let fields: HTTPFields = [.holdfastProducer: "5", .holdfastSequence: "1"]
            let append = try await follower.ask(.post, "/v1/records", fields, body: "through")
            #expect(append.status == 201)
            #expect(leader.log.values == ["through"])
            #expect(follower.log.values.isEmpty)
            let again = try await follower.ask(.post, "/v1/records", fields, body: "through")
            #expect(again.fields[.holdfastDuplicate] == "true")
            let page = try await follower.ask(.get, "/v1/records")
            #expect(page.body.contains("through"))
            let local = try await follower.ask(.get, "/v1/records?consistency=committed")
            #expect(local.fields[.holdfastNextIndex] == "1")
            await follower.stop()
        }
    }

    @Test func `a leader that is gone is 503 and not applied`() async throws {
        let gone = try RefusingPort()
        defer { withExtendedLifetime(gone) {} }
        let address = ServerAddress(host: "127.0.0.1", port: gone.port)
        let follower = try await Listener.start(leader: address)
        let answer = try await follower.ask(.post, "/v1/records", body: "a")
        #expect(answer.status == 503)
        #expect(answer.body.contains(#""applied":"no""#))
        #expect(answer.body.contains(#""leader":"\#(address)""#))
        await follower.stop()
    }

    @Test func `two followers that name each other do not pass a request round`() async throws {
        let first = try await Listener.start()
        let second = try await Listener.start(leader: first.address)
        first.log.setLeader(NodeID(2))
        // As if the first had sent it on.
        let answer = try await second.ask(.post, "/v1/records", [.holdfastForwarded: "1"], body: "a")
        #expect(answer.status == 421)
        #expect(answer.body.contains("NOT_LEADER"))
        await second.stop()
        await first.stop()
    }
}

@Suite struct FollowingTests {
    private func query(_ text: String) throws -> RecordsQuery {
        try RecordsQuery(QueryParameters(text[...]), accept: nil)
    }

    private func append(_ value: String, to log: FakeLog) throws {
        log.append(Submission(try .records([Record(value)]))) { _ in }
    }

    @Test func `a follower gets what is there and what comes, up to its end`() async throws {
        let log = FakeLog(node: NodeID(1))
        try self.append("a", to: log)
        let (values, continuation) = AsyncStream.makeStream(of: String.self)
        let query = try self.query("follow=true&to=4")
        let pump = Task {
            await RecordFollower.pump(service: log, query: query) { records, end in
                for record in records { continuation.yield(String(decoding: record.record.value, as: UTF8.self)) }
                if end != nil { continuation.finish() }
                return true
            }
        }
        var seen: [String] = []
        for await value in values {
            seen.append(value)
            if seen.count < 4 { try self.append("after \(value)", to: log) }
        }
        #expect(seen == ["a", "after a", "after after a"])
        #expect(await pump.value == nil)
    }

    @Test func `a limit ends it, a failure says why`() async throws {
        let log = FakeLog(node: NodeID(1))
        for value in ["a", "b", "c"] { try self.append(value, to: log) }
        let limited = await RecordFollower.pump(service: log, query: try self.query("follow=true&limit=2")) {
            records, end in
            #expect(records.count == 2)
            #expect(end?.next == LogIndex(3) && end?.isUpToDate == false)
            return true
        }
        #expect(limited == nil)
        log.fail(reads: .trimmed(first: LogIndex(3)))
        let failed = await RecordFollower.pump(service: log, query: try self.query("follow=true")) { _, _ in true }
        #expect(failed == .trimmed(first: LogIndex(3)))
    }

    @Test func `a following request streams over the wire until the reader leaves`() async throws {
        try await Listener.with { listener in
            _ = try await listener.ask(.post, "/v1/records", body: "first")
            let answer = try await listener.ask(.get, "/v1/records?follow=true&limit=1")
            #expect(answer.status == 200)
            #expect(answer.body.hasSuffix(#""value":"first"}"# + "\n"))
        }
    }

    @Test func `a browser gets events, and goes on behind the last one that it has`() async throws {
        try await Listener.with { listener in
            _ = try await listener.ask(.post, "/v1/records", [.contentType: PageAnswer.linesType], body: "a\nb\nc\n")
            let events: HTTPFields = [.accept: PageAnswer.eventsType]
            let answer = try await listener.ask(.get, "/v1/records?to=3", events)
            #expect(answer.status == 200)
            #expect(answer.fields[.contentType] == PageAnswer.eventsType)
            let parts = answer.body.components(separatedBy: "\n\n")
            #expect(parts.count == 3 && parts[2].isEmpty)
            #expect(parts[0].hasPrefix("id: 1\ndata: {\"index\":1,") && parts[0].hasSuffix(#""value":"a"}"#))
            #expect(parts[1].hasPrefix("id: 2\ndata: {"))
            var back = events
            back[.lastEventID] = "2"
            let rest = try await listener.ask(.get, "/v1/records?from=1&limit=1", back)
            #expect(rest.body.hasPrefix("id: 3\n"))
            // Without following there is an end, and it is said at once when there is nothing.
            let page = try await listener.ask(.get, "/v1/records?from=tail&follow=false", events)
            #expect(page.status == 200 && page.body == ":\n\n")
            back[.lastEventID] = "x"
            #expect(try await listener.ask(.get, "/v1/records", back).status == 400)
        }
    }

    @Test func `frames carry a page, and a stream, to its end or to what ended it`() async throws {
        func frames(_ body: ByteBuffer) throws -> [RecordFrame] {
            var rest = body
            var frames: [RecordFrame] = []
            while let frame = try RecordFrame.next(from: &rest) { frames.append(frame) }
            #expect(rest.readableBytes == 0)
            return frames
        }
        try await Listener.with { listener in
            _ = try await listener.ask(.post, "/v1/records", [.contentType: PageAnswer.linesType], body: "a\nb\nc\n")
            let accept: HTTPFields = [.accept: RecordFrame.contentType]
            for query in ["from=2&to=3", "from=2&to=3&follow=true", "from=2&limit=1&follow=true"] {
                let answer = try await listener.fetch(.get, "/v1/records?\(query)", accept)
                #expect(answer.head.status == .ok && answer.head.headerFields[.contentType] == RecordFrame.contentType)
                let found = try frames(answer.body)
                guard found.count == 2, case .record(let record) = found[0], case .end(let end) = found[1] else {
                    Issue.record("\(query): \(found)")
                    continue
                }
                #expect(record.index == LogIndex(2) && record.record == Record("b") && record.term == Term(3))
                #expect(
                    end
                        == PageEnd(
                            next: LogIndex(3), isUpToDate: false, firstIndex: LogIndex(1), lastIndex: LogIndex(3)))
            }
            let tail = try await listener.fetch(.get, "/v1/records?from=tail", accept)
            #expect(try frames(tail.body).count == 1 && tail.head.headerFields[.holdfastUpToDate] == "true")
            async let cut = listener.fetch(.get, "/v1/records?from=3&follow=true", accept)
            try await listener.untilSomebodyWaits()
            listener.log.stop()
            let last = try await frames(cut.body).last
            guard case .failed(let problem) = last else {
                Issue.record("\(String(describing: last))")
                return
            }
            #expect(problem.code == "QUORUM_UNAVAILABLE" && !problem.requestID.isEmpty)
        }
    }

    @Test func `events tell that a stream without records is alive`() async throws {
        let log = FakeLog(node: NodeID(1))
        let query = try RecordsQuery(QueryParameters("from=tail"), accept: PageAnswer.eventsType)
        #expect(query.isFollowing && query.consistency == .committed)
        let failure = await RecordFollower.pump(service: log, query: query) { records, end in
            #expect(records.isEmpty && end == nil)
            return false
        }
        #expect(failure == nil)
        let comment = PageAnswer.stream([IndexedRecord](), end: nil, as: .events)
        #expect(String(buffer: comment) == ":\n\n")
    }
}
