import HTTPTypes
import HoldfastClient
import LogModel
import NIOCore
import Replicator
import Testing

@testable import HoldfastNode

@Suite struct RouteTests {
    @Test func `every route is found`() throws {
        #expect(try Route.decide(method: .post, path: "/v1/records") == .append)
        #expect(try Route.decide(method: .get, path: "/v1/records") == .read)
        #expect(try Route.decide(method: .head, path: "/v1/records") == .tail)
        #expect(try Route.decide(method: .get, path: "/v1/records/17") == .record(LogIndex(17)))
        #expect(try Route.decide(method: .get, path: "/v1/cluster") == .cluster)
        #expect(try Route.decide(method: .post, path: "/admin/v1/transfer") == .transfer)
        #expect(try Route.decide(method: .post, path: "/admin/v1/members") == .addMember)
        #expect(try Route.decide(method: .post, path: "/admin/v1/members/4/promote") == .promoteMember(NodeID(4)))
        #expect(try Route.decide(method: .delete, path: "/admin/v1/members/4") == .removeMember(NodeID(4)))
    }

    @Test(arguments: [
        (HTTPRequest.Method.get, "/", 404), (.get, "/v2/records", 404), (.get, "/v1/records/", 400),
        (.get, "/v1/records/0", 400), (.get, "/v1/records/-1", 400), (.get, "/v1/records/x", 400),
        (.get, "/v1/records/99999999999999999999", 400), (.delete, "/v1/records", 405), (.put, "/v1/records/1", 405),
        (.post, "/v1/cluster", 405), (.get, "/admin/v1/members", 405), (.post, "/admin/v1/members/4", 405),
        (.delete, "/admin/v1/members/0", 400), (.delete, "/admin/v1/members/", 400),
        (.post, "/admin/v1/members/4/demote", 404), (.get, "/admin/v1/members/4/promote", 405),
    ])
    func `anything else is refused by name`(method: HTTPRequest.Method, path: String, status: Int) {
        let problem = #expect(throws: Problem.self) { try Route.decide(method: method, path: path[...]) }
        #expect(problem?.document.status == status)
        #expect(problem?.document.applied == .no)
        if status == 405 { #expect(problem?.fields[.allow] != nil) }
    }
}

@Suite struct QueryTests {
    func query(_ text: String, accept: String? = nil) throws -> RecordsQuery {
        try RecordsQuery(QueryParameters(text[...]), accept: accept)
    }

    @Test func `nothing said means the first page, linearizable`() throws {
        let query = try self.query("")
        #expect(query.start == .first)
        #expect(query.limit == NodeLimits.pageRecordCount)
        #expect(query.consistency == .linearizable)
        #expect(query.form == .page)
        #expect(!query.isFollowing)
    }

    @Test func `everything said is taken`() throws {
        let query = try self.query(
            "from=-5&to=9&limit=3&wait=2s&min_index=8&consistency=committed", accept: "application/x-ndjson")
        #expect(query.minIndex == LogIndex(8) && query.answerMilliseconds == 4_000)
        #expect(query.start == .last(5))
        #expect(query.end == LogIndex(9))
        #expect(query.limit == 3)
        #expect(query.waitMilliseconds == 2_000)
        #expect(query.consistency == .committed)
        #expect(query.form == .lines)
        #expect(try self.query("limit=99999999").limit == NodeLimits.pageRecordCountMax)
    }

    @Test func `following is committed, lines, and without a limit`() throws {
        let query = try self.query("from=tail&follow=true")
        #expect(query.isFollowing)
        #expect(query.consistency == .committed)
        #expect(query.limit == .max)
        #expect(query.form == .lines)
    }

    @Test(arguments: [
        "from=0", "from=-0", "from=middle", "to=0", "limit=-1", "limit=many", "wait=5", "wait=61s", "min_index=0",
        "follow=perhaps",
        "consistency=eventual", "follow=true&consistency=linearizable", "from=1&from=2", "from=%zz", "from=%4",
        "from=9&to=8",
    ])
    func `a bad query is 400`(text: String) {
        let problem = #expect(throws: Problem.self) { try self.query(text) }
        #expect(problem?.document.status == 400)
    }

    @Test func `what the client accepts decides the form, and 406 is said when there is none`() throws {
        #expect(try self.query("", accept: "application/vnd.holdfast.frames").form == .frames)
        #expect(try self.query("follow=true", accept: "application/vnd.holdfast.frames").form == .frames)
        #expect(try self.query("follow=true", accept: "application/json").form == .lines)
        let problem = #expect(throws: Problem.self) { try self.query("", accept: "image/png") }
        #expect(problem?.document.status == 406 && problem?.document.hint.contains("x-ndjson") == true)
    }

    @Test func `a parameter that a route does not know is refused by name`() {
        for (route, query) in [
            (Route.append, "expcet=4"), (.read, "form=1"), (.cluster, "pretty"), (.cursors, "from=1"),
        ] {
            let problem = #expect(throws: Problem.self) {
                try QueryParameters(query[...]).check(only: route.parameterNames)
            }
            #expect(problem?.document.status == 400 && problem?.document.detail.contains("unknown") == true)
        }
    }

    @Test func `escapes are decoded`() throws {
        #expect(try self.query("from=%2D3").start == .last(3))
        let parameters = try QueryParameters("a=b+c%20d&e")
        #expect(try parameters.value("a", expected: "") { $0 } == "b c d")
        #expect(try parameters.flag("e") == true)
    }
}

@Suite struct AppendRequestTests {
    func request(_ fields: HTTPFields = [:], query: String = "") throws -> AppendRequest {
        try AppendRequest(
            head: HTTPRequest(method: .post, scheme: "http", authority: "x", path: "/v1/records", headerFields: fields),
            QueryParameters(query[...]))
    }

    func values(_ body: String, _ type: String) throws -> [String] {
        let draft = try self.request([.contentType: type]).draft(body: ByteBuffer(string: body))
        return try FakeLog.records(of: draft).map { String(decoding: $0.value, as: UTF8.self) }
    }

    @Test func `a quorum acknowledges unless all are asked for, who are waited for as long as is said`() throws {
        #expect(try self.request().acknowledgedBy == .quorum)
        #expect(try self.request(query: "ack=quorum").acknowledgedBy == .quorum)
        #expect(try self.request(query: "ack=all&wait=2s").acknowledgedBy == .all(withinMilliseconds: 2_000))
        #expect(
            try self.request(query: "ack=all").acknowledgedBy
                == .all(withinMilliseconds: NodeLimits.waitMillisecondsMax))
        for query in ["ack=some", "ack=", "ack=all&wait=5", "wait=1s", "ack=quorum&wait=1s"] {
            let problem = #expect(throws: Problem.self) { try self.request(query: query) }
            #expect(problem?.document.status == 400, "\(query)")
        }
    }

    @Test(arguments: [
        "application/octet-stream", "application/x-www-form-urlencoded", "text/plain; charset=utf-8",
        "APPLICATION/OCTET-STREAM",
    ])
    func `a plain body is one record, byte for byte`(type: String) throws {
        #expect(try self.values("a=b&c\nd\n", type) == ["a=b&c\nd\n"])
    }

    @Test func `no content type is one record, an empty body an empty one`() throws {
        let draft = try self.request().draft(body: ByteBuffer())
        #expect(try FakeLog.records(of: draft).map(\.value.count) == [0])
    }

    @Test func `each line of ndjson is one record as it stands`() throws {
        #expect(
            try self.values("{\"a\":1}\n\n plain \nlast", "application/x-ndjson") == ["{\"a\":1}", " plain ", "last"])
    }

    @Test func `json is a batch, as an object or as an array`() throws {
        let batch = #"["a",{"value":"b","key":"k"},{"valueBase64":"AAE="},{"key":"k","tombstone":true}]"#
        for body in [batch, #" {"records":\#(batch)}"#] {
            let draft = try self.request([.contentType: "application/json"]).draft(body: ByteBuffer(string: body))
            let records = try FakeLog.records(of: draft)
            #expect(records.map { Array($0.value) } == [[97], [98], [0, 1], []])
            #expect(records.map { String(decoding: $0.key, as: UTF8.self) } == ["", "k", "", "k"])
            #expect(records.map(\.isTombstone) == [false, false, false, true])
        }
    }

    @Test(arguments: [
        "", "[]", "{}", "[1]", "[{}]", #"[{"value":"a","valueBase64":"YQ=="}]"#, #"[{"valueBase64":"?"}]"#, "[\"a\"",
        #"{"records":"a"}"#,
    ])
    func `a bad batch is 400 and not applied`(body: String) throws {
        let request = try self.request([.contentType: "application/json"])
        let problem = #expect(throws: Problem.self) { try request.draft(body: ByteBuffer(string: body)) }
        #expect(problem?.document.status == 400)
        #expect(problem?.document.applied == .no)
    }

    @Test func `no line is no record, too many are 413`() throws {
        let request = try self.request([.contentType: "application/x-ndjson"])
        let empty = #expect(throws: Problem.self) { try request.draft(body: ByteBuffer(string: "\n\n")) }
        #expect(empty?.document.status == 400)
        let many = String(repeating: "x\n", count: NodeLimits.recordsPerAppendMax + 1)
        let problem = #expect(throws: Problem.self) { try request.draft(body: ByteBuffer(string: many)) }
        #expect(problem?.document.status == 413)
    }

    @Test func `producer and sequence go together and are numbers from 1`() throws {
        let request = try self.request([.holdfastProducer: "7", .holdfastSequence: "3"])
        #expect(request.label == .producer(ProducerSequence(producer: 7, sequence: 3)))
        let bad: [HTTPFields] = [
            [.holdfastProducer: "7"], [.holdfastSequence: "1"], [.holdfastProducer: "0", .holdfastSequence: "1"],
            [.holdfastProducer: "x", .holdfastSequence: "1"],
            HTTPFields([
                HTTPField(name: .holdfastProducer, value: "1"), HTTPField(name: .holdfastProducer, value: "2"),
                HTTPField(name: .holdfastSequence, value: "1"),
            ]),
        ]
        for fields in bad {
            #expect(throws: Problem.self) { try self.request(fields) }
        }
    }

    @Test func `what cannot hold records is 415`() {
        let media = #expect(throws: Problem.self) { try self.request([.contentType: "image/png"]) }
        #expect(media?.document.status == 415)
    }
}
