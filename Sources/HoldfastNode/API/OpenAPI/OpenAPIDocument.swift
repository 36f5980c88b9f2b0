import HoldfastClient
import LogModel

/// The client listener's description of itself: `GET /openapi.json`, OpenAPI 3.1.
///
/// Written as people write such documents, in JSON, with the bounds and codes of the program put in. OpenAPITests hold it
/// against ``Route`` and ``ProblemCode``; in ClusterTests a running node answers what it says.
enum OpenAPIDocument {
    static let bytes = Array((Self.text + "\n").utf8)

    private static let text = #"""
        {
        "openapi": "3.1.0",
        "info": {
            "title": "Holdfast",
            "version": "1",
            "summary": "A replicated log.",
            "description": "HTTP/2 with prior knowledge (`curl --http2-prior-knowledge`). Any node takes any request: what only the leader can answer is forwarded to it, or not, as `forward` says. Every error is a problem document, whose `applied` says whether a change is in the log although it was not acknowledged."
        },
        "servers": [{"url": "http://127.0.0.1:7400"}],
        "tags": [
            {"name": "records", "description": "The log: appending and reading."},
            {"name": "state", "description": "What the log keeps beside its records."},
            {"name": "segments", "description": "The log's files, for backups."},
            {"name": "cluster", "description": "Who leads, and who is a member."}
        ],
        "paths": {
        \#(Self.recordPaths),
        \#(Self.statePaths),
        \#(Self.segmentPaths),
        \#(Self.clusterPaths)
        },
        "components": {
            "parameters": {\#(Self.parameters)},
            "headers": {\#(Self.headers)},
            "responses": {\#(Self.problemResponses)},
            "schemas": {\#(Self.schemas), \#(Self.segmentSchemas)}
        }
        }
        """#

    // MARK: Problems

    /// What each status of a problem means.
    private static let problems: [(status: Int, meaning: String)] = [
        (
            307,
            "This node does not lead, and `forward=redirect` was said: `Location` is the same request at the leader."
        ),
        (400, "The request is not understood. Nothing was applied."),
        (
            401,
            "`UNAUTHENTICATED`: the node asks for a token, and none that it knows came. Nothing was applied."
        ),
        (
            403,
            "`FORBIDDEN`: the token or the certificate is for something else; `TLS_REQUIRED`: the port speaks TLS. Nothing was applied."
        ),
        (404, "There is no such record, frame, cursor, or member."),
        (406, "Records cannot be had in any of the media types of `Accept`."),
        (409, "It contradicts what the log or the cluster holds; `code` says what."),
        (410, "`TRIMMED`: `first_index` is the first record that is kept."),
        (
            412,
            "`CONDITION_FAILED`: the first record would not get the expected index; `next_index` is the one that comes."
        ),
        (413, "The body, the batch or the record is too large."),
        (414, "The path and the query are over \(NodeLimits.targetByteCountMax) bytes."),
        (415, "Records cannot be read from this media type, or the body is compressed (`Content-Encoding`)."),
        (421, "`NOT_LEADER`: this node does not lead, and the request goes no further; `leader` is where to ask."),
        (
            429,
            "`BUSY`: too much waits for its commit, or to be read, or is on its way here, or too many read segments. Nothing was applied."
        ),
        (431, "The header fields are too large."),
        (503, "For the moment: no leader, no quorum, or this node stops, lags or repairs itself."),
        (504, "No answer in time: `applied` is `unknown` unless it says otherwise."),
        (507, "`NO_SPACE`: the leader's disk is full. Nothing was applied."),
    ]

    private static let problemResponses = Self.problems.map { problem in
        var headers = Self.servedBy
        switch problem.status {
        case 307: headers += #", "Location": {"required": true, "schema": {"type": "string", "format": "uri"}}"#
        case 401: headers += #", "WWW-Authenticate": {"required": true, "schema": {"type": "string"}}"#
        case 403: headers += #", "WWW-Authenticate": {"schema": {"type": "string"}}"#
        case 412: headers += ", " + Self.header("Holdfast-Next-Index", "Next-Index")
        case 429, 503: headers += ", " + Self.header("Retry-After", "Retry-After")
        default: break
        }
        return #"""
            "\#(problem.status)": {
                "description": "\#(problem.meaning)",
                "headers": {\#(headers)},
                "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
            }
            """#
    }.joined(separator: ",\n")

    /// References to the responses of these statuses, and of those that every request may get.
    static func problems(_ statuses: Int...) -> String {
        (statuses + [400, 401, 403, 414, 431]).sorted()
            .map { ##""\##($0)": {"$ref": "#/components/responses/\##($0)"}"## }.joined(separator: ",\n")
    }

    // MARK: Headers

    private static let headers = #"""
        "Served-By": {"description": "The number of the node that answered.", "required": true, "schema": {"type": "integer", "minimum": 1}},
        "Request-Id": {"description": "By what the request is found in the nodes' journals: what the request itself said in this field (1 to 128 letters, digits, `-_.:`), or drawn for it.", "required": true, "schema": {"type": "string", "pattern": "^[A-Za-z0-9_.:-]{1,128}$"}},
        "Next-Index": {"description": "Where to go on; of a tail, and of a failed condition: the index that the next record takes.", "required": true, "schema": {"$ref": "#/components/schemas/Index"}},
        "Up-To-Date": {"description": "Whether nothing is committed beyond the page.", "required": true, "schema": {"type": "boolean"}},
        "Duplicate": {"description": "`true`: an earlier attempt was applied, and nothing was appended again.", "required": true, "schema": {"type": "boolean", "enum": [true]}},
        "ETag": {"description": "The index in quotes.", "required": true, "schema": {"type": "string", "pattern": "^\"[1-9][0-9]*\"$"}},
        "Cache-Control": {"required": true, "schema": {"type": "string"}},
        "Retry-After": {"description": "Seconds.", "schema": {"type": "integer", "minimum": 0}}
        """#

    /// What every answer has.
    static let servedBy =
        Self.header("Holdfast-Served-By", "Served-By") + ", " + Self.header("X-Request-Id", "Request-Id")

    static func header(_ name: String, _ component: String) -> String {
        ##""\##(name)": {"$ref": "#/components/headers/\##(component)"}"##
    }

    // MARK: Parameters

    private static let parameters = #"""
        "forward": {
            "name": "forward", "in": "query",
            "description": "What becomes of a request that only the leader can answer at a node that does not lead: forwarded, 307, or 421.",
            "schema": {"enum": ["auto", "redirect", "never"], "default": "auto"}
        },
        "wait": {
            "name": "wait", "in": "query",
            "description": "How long to wait, up to 60s: for the first record that is not there yet, and for `min_index`; of an append with `ack=all`, for all voters.",
            "schema": {"type": "string", "pattern": "^[0-9]+(ms|s|m)$", "example": "5s"}
        },
        "cursor": {
            "name": "name", "in": "path", "required": true,
            "schema": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,\#(CursorName.byteCountMax)}$", "example": "billing"}
        },
        "node": {
            "name": "node", "in": "path", "required": true,
            "schema": {"type": "integer", "minimum": 1, "maximum": \#(UInt32.max), "example": 4}
        },
        "fencing": {
            "name": "Holdfast-Fencing-Token", "in": "header",
            "description": "Refused (409 `FENCED`) once the log has seen a higher one; a higher one raises the log's.",
            "schema": {"type": "integer", "minimum": 0, "maximum": \#(UInt64.max)}
        },
        "known": {
            "name": "If-None-Match", "in": "header",
            "description": "ETags that the client has: 304 when one of them still holds.",
            "schema": {"type": "string", "example": "\"7\""}
        }
        """#
}
