import HTTPTypes
import HoldfastClient
import NIOCore

@testable import HoldfastNode

/// A mistaken or hostile request, and exactly how it is refused.
struct BadRequest: CustomStringConvertible, Sendable {
    var method: HTTPRequest.Method
    var path: String
    var fields: [(String, String)]
    var body: [UInt8]?
    var status: Int
    var code: ProblemCode
    /// The gist of what a person reads.
    var words: String

    init(
        _ method: HTTPRequest.Method, _ path: String, fields: [(String, String)] = [], body: [UInt8]? = nil,
        _ status: Int, _ code: ProblemCode, _ words: String
    ) {
        self.method = method
        self.path = path
        self.fields = fields
        self.body = body
        self.status = status
        self.code = code
        self.words = words
    }

    /// What is not understood.
    init(
        _ method: HTTPRequest.Method, _ path: String, fields: [(String, String)] = [], body: [UInt8]? = nil,
        _ words: String
    ) {
        self.init(method, path, fields: fields, body: body, 400, .badRequest, words)
    }

    var description: String {
        let fields = self.fields.map { "\($0): \($1.prefix(60))" }.joined(separator: ", ")
        let body = self.body.map { String(decoding: $0.prefix(60), as: UTF8.self) } ?? ""
        return "\(self.method) \(self.path.prefix(80)) [\(fields)] \(body)"
    }

    var headerFields: HTTPFields {
        HTTPFields(
            self.fields.compactMap { name, value in
                HTTPField.Name(name).map { HTTPField(name: $0, value: value) }
            })
    }

    static let all: [BadRequest] = [
        Self.strangePaths, Self.paths, Self.strangeIndexes, Self.methods, Self.readValues, Self.readQueries,
        Self.appendValues,
        Self.otherQueries, Self.acceptances, Self.eventIDs, Self.mediaTypes, Self.encodings, Self.entityTags,
        Self.tokens,
        Self.producers,
        Self.headers, Self.grammar, Self.batches, Self.cursors, Self.fences, Self.trims, Self.stateBodies,
    ].flatMap { $0 }

    private static let strangePaths: [BadRequest] = Self.each([
        "/", "/v1", "/v1/", "/v2/records", "/V1/records", "//v1/records", "/v1/records%2F1", "/admin", "/metrics",
    ]) { BadRequest(.get, $0, 404, .noSuchRoute, "there is nothing at \($0)") }

    private static let paths: [BadRequest] = [
        BadRequest(.get, "/v1/records/", "an index is missing"),
        BadRequest(.get, "/v1/records/9", 404, .noSuchRecord, "there is no record 9 yet"),
        BadRequest(.get, "/v1/cursors/", " is not a cursor's name"),
        BadRequest(.get, "/v1/cursors/none", 404, .noSuchCursor, "no cursor of this name"),
        BadRequest(.delete, "/v1/cursors/none", 404, .noSuchCursor, "no cursor of this name"),
        BadRequest(.get, "/v1/cursors/a%20b", "a%20b is not a cursor's name"),
        BadRequest(.get, "/v1/cursors/a/b", "a/b is not a cursor's name"),
        BadRequest(.put, "/v1/cursors/" + String(repeating: "c", count: 65), "is not a cursor's name"),
        BadRequest(.delete, "/admin/v1/members/0", "0 is not a node"),
        BadRequest(.delete, "/admin/v1/members/n4", "n4 is not a node"),
        BadRequest(.delete, "/admin/v1/members/4294967296", "4294967296 is not a node"),
        BadRequest(.post, "/admin/v1/members/4/demote", 404, .noSuchRoute, "there is nothing at"),
    ]

    private static let strangeIndexes: [BadRequest] = Self.each([
        "0", "-1", "+1", "1.5", "abc", "1/2", "%31", "0x1", "18446744073709551616", "1%00",
    ]) { BadRequest(.get, "/v1/records/\($0)", "\($0) is not an index") }

    private static let methods: [BadRequest] =
        ([
            (.delete, "/v1/records"), (.put, "/v1/records"), (.patch, "/v1/records"), (.options, "/v1/records"),
            (.trace, "/v1/records"), (.post, "/v1/records/1"), (.post, "/v1/cluster"), (.get, "/v1/trim"),
            (.get, "/v1/fencing-token"), (.post, "/v1/cursors"), (.patch, "/v1/cursors/a"), (.put, "/openapi.json"),
            (.get, "/admin/v1/transfer"), (.put, "/admin/v1/members"), (.get, "/admin/v1/members/4"),
        ] as [(HTTPRequest.Method, String)]).map {
            BadRequest($0, $1, 405, .methodNotAllowed, "\($1) does not take \($0)")
        }

    private static let readValues: [BadRequest] = Self.each([
        "from=0", "from=-0", "from=--1", "from=1.0", "from=middle", "from=", "from=18446744073709551616",
        "from=-18446744073709551616", "to=0", "to=-1", "to=tail", "limit=-1", "limit=many", "limit=1e3",
        "limit=9223372036854775808", "wait=5", "wait=61s", "wait=-1s", "wait=1h", "wait=99999999999999999999s",
        "min_index=0", "min_index=x", "consistency=eventual", "follow=perhaps", "forward=maybe",
    ]) { BadRequest(.get, "/v1/records?\($0)", "\($0) is not understood") }

    private static let readQueries: [BadRequest] = [
        BadRequest(.get, "/v1/records?from=9&to=3", "to=3 is before from=9"),
        BadRequest(.get, "/v1/records?follow=true&consistency=linearizable", "never linearizable"),
        BadRequest(.get, "/v1/records?from=1&from=1", "names from twice"),
        BadRequest(.get, "/v1/records?form=1", "unknown query parameter form"),
        BadRequest(.get, "/v1/records?from=%zz", "broken % escape"),
        BadRequest(.get, "/v1/records?from=%4", "broken % escape"),
        BadRequest(.get, "/v1/records?from=%ff%fe", "broken % escape"),
        BadRequest(.get, "/v1/records?=1", "unknown query parameter"),
        BadRequest(.get, "/v1/records?from=1?to=2", "from=1?to=2 is not understood"),
        BadRequest(.get, "/v1/records/1?from=1", "unknown query parameter from"),
        BadRequest(
            .get, "/v1/records?from=" + String(repeating: "1", count: 9_000), 414, .uriTooLong, "over 8192 bytes"),
    ]

    private static let appendValues: [BadRequest] = Self.each([
        "expect=0", "expect=x", "expect=-1", "expect=18446744073709551616", "ack=some", "ack=all&wait=5",
    ]) { BadRequest(.post, "/v1/records?\($0)", body: [97], "is not understood") }

    private static let otherQueries: [BadRequest] = [
        BadRequest(.post, "/v1/records?expect=9", body: [97], 412, .conditionFailed, "the next index is 2"),
        BadRequest(.post, "/v1/records?expect=1&expect=1", body: [97], "names expect twice"),
        BadRequest(.post, "/v1/records?expcet=1", body: [97], "unknown query parameter expcet"),
        BadRequest(.post, "/v1/records?wait=1s", body: [97], "wait goes with ack=all"),
        BadRequest(.get, "/v1/cluster?pretty", "unknown query parameter pretty"),
        BadRequest(.head, "/v1/records?from=1", ""),
        BadRequest(.get, "/v1/cursors?name=a", "unknown query parameter name"),
        BadRequest(.post, "/v1/trim", "no index is given"),
        BadRequest(.post, "/v1/trim?before=0", "0 is not an index"),
        BadRequest(.post, "/v1/trim?before=-5", "before=-5 is not understood"),
        BadRequest(.post, "/admin/v1/transfer?to=0", "to=0 is not understood"),
        BadRequest(.post, "/admin/v1/transfer?to=9", "node 9 is not a node of this cluster"),
        BadRequest(.post, "/admin/v1/members", "node is missing"),
        BadRequest(.post, "/admin/v1/members?node=4&peer=h:1", "one of peer and client is missing"),
        BadRequest(.post, "/admin/v1/members?node=4&peer=h&client=h:1", "peer=h is not understood"),
        BadRequest(.post, "/admin/v1/members?node=4&promote=perhaps", "promote=perhaps is not understood"),
    ]

    private static func append(_ fields: [(String, String)], _ words: String) -> BadRequest {
        BadRequest(.post, "/v1/records", fields: fields, body: [97], words)
    }

    private static func append(
        _ fields: [(String, String)], _ status: Int, _ code: ProblemCode, _ words: String
    ) -> BadRequest {
        BadRequest(.post, "/v1/records", fields: fields, body: [97], status, code, words)
    }

    private static let acceptances: [BadRequest] =
        Self.each(["image/png", "json", "application/json;q=0", "text/html, image/*"]) {
            BadRequest(
                .get, "/v1/records", fields: [("Accept", $0)], 406, .notAcceptable, "records cannot be had as \($0)")
        }

    private static let eventIDs: [BadRequest] =
        Self.each(["x", "-1", "18446744073709551615"]) {
            BadRequest(
                .get, "/v1/records", fields: [("Accept", "text/event-stream"), ("Last-Event-ID", $0)],
                "Last-Event-ID: \($0) is not understood")
        }

    private static let mediaTypes: [BadRequest] =
        Self.each(["image/png", "multipart/form-data; boundary=x", "application/xml", "json", "application/grpc"]) {
            Self.append([("Content-Type", $0)], 415, .unsupportedMediaType, "records cannot be read from")
        }

    private static let encodings: [BadRequest] =
        Self.each(["gzip", "deflate", "br, identity", "GZIP"]) {
            Self.append(
                [("Content-Encoding", $0)], 415, .unsupportedMediaType,
                "a compressed body, Content-Encoding \($0.lowercased()), is not taken")
        }

    private static let entityTags: [BadRequest] =
        Self.each(["*", "W/\"2\"", "2", "\"0\"", "\"x\"", "\"2", "\"-2\"", "\"2\", \"3\""]) {
            Self.append([("If-Match", $0)], "If-Match: \($0) is not understood")
        }

    private static let tokens: [BadRequest] =
        Self.each(["x", "-1", "18446744073709551616", "1.5"]) {
            Self.append([("Holdfast-Fencing-Token", $0)], "Holdfast-Fencing-Token: \($0) is not understood")
        }

    private static let producers: [BadRequest] =
        Self.each(["0", "x", "-1", "18446744073709551616"]) {
            Self.append([("Holdfast-Producer", $0), ("Holdfast-Sequence", "1")], "must be whole numbers from 1")
        }

    private static let headers: [BadRequest] = [
        Self.append(
            [("Content-Type", "application/json"), ("Content-Type", "text/plain")], "content-type is there twice"),
        Self.append([("Idempotency-Key", "a"), ("Idempotency-Key", "b")], "idempotency-key is there twice"),
        Self.append([("Idempotency-Key", "")], "the Idempotency-Key has 0 bytes"),
        Self.append([("Idempotency-Key", String(repeating: "k", count: 256))], "the Idempotency-Key has 256 bytes"),
        Self.append(
            [("Idempotency-Key", "a"), ("Holdfast-Producer", "1"), ("Holdfast-Sequence", "1")],
            "two names for one append"),
        Self.append([("Holdfast-Producer", "1")], "go together"),
        Self.append([("Holdfast-Sequence", "1")], "go together"),
        Self.append([("Holdfast-Producer", "1"), ("Holdfast-Sequence", "0")], "must be whole numbers from 1"),
        Self.append([("If-Match", "\"7\"")], 412, .conditionFailed, "the next index is 2"),
        BadRequest(
            .post, "/v1/records?expect=2", fields: [("If-Match", "\"3\"")], body: [97], "name two indexes"),
        BadRequest(
            .get, "/v1/cluster", fields: [("X-Long", String(repeating: "a", count: 40_000))], 431, .headTooLarge,
            "are over"),
        BadRequest(
            .get, "/v1/cluster", fields: (0..<900).map { ("X-\($0)", "a") }, 431, .headTooLarge, "are over"),
        Self.append([("Content-Type", SessionBatch.contentType)], "a session needs a Holdfast-Producer"),
        Self.append(
            [("Content-Type", SessionBatch.contentType), ("Holdfast-Producer", "1"), ("Idempotency-Key", "a")],
            "a session needs a Holdfast-Producer"),
    ]

    private static func batch(
        _ text: String, as type: String = "application/json", _ status: Int = 400, _ code: ProblemCode = .badRequest,
        saying words: String
    ) -> BadRequest {
        BadRequest(
            .post, "/v1/records", fields: [("Content-Type", type)], body: Array(text.utf8), status, code, words)
    }

    /// The grammar itself: JSONReaderTests.
    private static let grammar: [BadRequest] = Self.each([
        "", "null", "5", "[null]", "['a']", "[\"a\",]", "[\"a\"", "[\"a\"] x", "[[\"a\"]]", "[NaN]", "\u{FEFF}[\"a\"]",
    ]) { Self.batch($0, saying: "the body is not a batch of records: ") }

    private static let batches: [BadRequest] = [
        Self.batch("[]", saying: "the request holds no record"),
        Self.batch(#"{"records":[]}"#, saying: "the request holds no record"),
        Self.batch(#"{"records":["a"],"records":["b"]}"#, saying: "records is there twice"),
        Self.batch(#"[{"vlaue":"a"}]"#, saying: "vlaue is not known here"),
        Self.batch(#"[{"value":"a","ttl_ms":1e99}]"#, saying: "expected a whole number of 64 bits, found 1e99"),
        Self.batch(#"["good",{"value":1},"good"]"#, saying: "line 1, column 18: expected text in quotes, found 1"),
        Self.batch(#"["\ud800"]"#, saying: "half of a surrogate pair"),
        Self.batch(String(repeating: "[", count: 100_000), saying: "expected a record"),
        Self.batch("[\"\(String(repeating: "x", count: 70_000))\",", saying: "expected a record"),
        Self.batch("", as: "application/x-ndjson", saying: "the request holds no record"),
        Self.batch("\n\n\n", as: "application/x-ndjson", saying: "the request holds no record"),
        Self.batch(
            String(repeating: "x\n", count: 4_097), as: "application/x-ndjson", 413, .tooLarge, saying: "4097 records"),
        Self.batch(
            "[" + String(repeating: "\"\",", count: 4_096) + "\"\"]", as: "application/json", 413, .tooLarge,
            saying: "4097 records"
        ),
        BadRequest(
            .post, "/v1/records", fields: [("Content-Type", "application/json")], body: [0x5B, 0x22, 0xFF, 0x22, 0x5D],
            "line 1, column 3: this is not UTF-8"),
        BadRequest(
            .post, "/v1/records", body: [UInt8](repeating: 0, count: NodeLimits.bodyByteCountMax + 1), 413, .tooLarge,
            "the body is over"),
    ]

    private static let cursors: [BadRequest] = Self.each([
        "", "{}", "[]", "{\"index\":0}", "{\"index\":\"1\"}", "{\"index\":1,\"index\":2}",
        "{\"index\":1,\"hodl\":true}",
    ]) { BadRequest(.put, "/v1/cursors/a", body: Array($0.utf8), "the body is not a cursor: ") }

    private static let fences: [BadRequest] = Self.each([
        "", "{}", "7", "{\"token\":0}", "{\"token\":-7}", "{\"token\":null}", "{\"token\":7,\"by\":\"me\"}",
    ]) { BadRequest(.put, "/v1/fencing-token", body: Array($0.utf8), "the body is not a fencing token: ") }

    private static let trims: [BadRequest] = Self.each(["{}", "[7]", "{\"before\":0}", "{\"before\":7}}"]) {
        BadRequest(.post, "/v1/trim", body: Array($0.utf8), "the body is not {\"before\":INDEX}: ")
    }

    private static let stateBodies: [BadRequest] = [
        BadRequest(.post, "/v1/trim?before=2", body: Array("{\"before\":1}".utf8), "the query says 2, the body 1"),
        BadRequest(
            .put, "/v1/cursors/a", body: [UInt8](repeating: 32, count: NodeLimits.stateBodyByteCountMax + 1), 413,
            .tooLarge, "the body is over"),
    ]

    /// A row for each text.
    private static func each(_ texts: [String], _ row: (String) -> BadRequest) -> [BadRequest] { texts.map(row) }
}
