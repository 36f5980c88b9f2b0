import HoldfastClient

/// `/v1/records`
extension OpenAPIDocument {
    static let recordPaths = #"""
        "/v1/records": {
            "get": \#(Self.read),
            "head": \#(Self.tail),
            "post": \#(Self.append)
        },
        "/v1/records/{index}": {"get": \#(Self.record)}
        """#

    private static let read = #"""
        {
            "operationId": "read", "tags": ["records"], "summary": "Committed records, in order.",
            "description": "A page, or with `follow=true` a stream that goes on with what is committed later. Linearizable unless `consistency=committed` or `follow=true` is said. `from` the `next` of a page goes on behind it.",
            "parameters": [
                {"name": "from", "in": "query", "description": "`first`, `tail`, an index, or `-N` for the last N.", "schema": {"type": "string", "pattern": "^(first|tail|-?[1-9][0-9]{0,18})$", "default": "first"}},
                {"name": "to", "in": "query", "description": "The first index that is not wanted; not before `from`.", "schema": {"$ref": "#/components/schemas/Index"}},
                {"name": "limit", "in": "query", "description": "At most so many records; a page may hold fewer.", "schema": {"type": "integer", "minimum": 0, "maximum": \#(Int.max), "default": \#(NodeLimits.pageRecordCount)}},
                {"$ref": "#/components/parameters/wait"},
                {"name": "min_index", "in": "query", "description": "Nothing is read before this node has committed it: read your own writes on any node.", "schema": {"$ref": "#/components/schemas/Index"}},
                {"name": "follow", "in": "query", "description": "Goes on with what is committed later. The default of events.", "schema": {"type": "boolean", "default": false}},
                {"name": "consistency", "in": "query", "description": "`linearizable` sees all that was acknowledged before the read began; never with `follow=true`.", "schema": {"enum": ["linearizable", "committed"]}},
                {"$ref": "#/components/parameters/forward"},
                {"name": "Last-Event-ID", "in": "header", "description": "Of events: the index of the last one that the client has.", "schema": {"type": "integer", "minimum": 0, "maximum": \#(UInt64.max - 1)}}
            ],
            "responses": {
                "200": {
                    "description": "What `Accept` likes best; a stream is never the JSON page, but NDJSON in its place.",
                    "headers": {
                        "Holdfast-Next-Index": {"description": "Of a page: where the next one begins.", "schema": {"$ref": "#/components/schemas/Index"}},
                        "Holdfast-Up-To-Date": {"description": "Of a page: whether nothing is committed beyond it.", "schema": {"type": "boolean"}},
                        "Cache-Control": {"$ref": "#/components/headers/Cache-Control"},
                        \#(Self.servedBy)
                    },
                    "content": {
                        "application/json": {"schema": {"$ref": "#/components/schemas/Page"}},
                        "\#(PageAnswer.linesType)": {
                            "schema": {"type": "string", "description": "One record a line, each as in a page. A stream that cannot go on ends with the line `{\"error\": problem}`."}
                        },
                        "\#(PageAnswer.eventsType)": {
                            "schema": {"type": "string", "description": "One event a record: `id` its index, `data` the record as in a page. `event: error` has a problem document."}
                        },
                        "\#(RecordFrame.contentType)": {
                            "schema": {"type": "string", "contentMediaType": "\#(RecordFrame.contentType)", "description": "Little-endian. A record: u32 length of what follows, u8 1, u8 flags (1 tombstone, 2 ttl), u16 0, u32 key length, u64 index, u64 term, u32 segment, u32 offset, u64 nanoseconds since 1970, with flag 2 u64 ttl in milliseconds, key, value. The end: u32 length, u8 3, u8 flags (1 up to date), u16 0, u64 next, first and last index. A problem, the last one: u32 length, u8 2, document."}
                        }
                    }
                },
                \#(Self.problems(307, 406, 410, 421, 429, 503, 504))
            }
        }
        """#

    private static let tail = #"""
        {
            "operationId": "tail", "tags": ["records"], "summary": "Where the log ends, as this node knows it.",
            "parameters": [{"$ref": "#/components/parameters/known"}],
            "responses": {
                "200": {"description": "The ETag is what `If-Match` of an append takes.", "headers": {\#(Self.tagged)}},
                "304": {"description": "The log still ends there.", "headers": {\#(Self.tagged)}},
                \#(Self.problems())
            }
        }
        """#

    private static let tagged = #"""
        "ETag": {"$ref": "#/components/headers/ETag"},
        "Holdfast-Next-Index": {"$ref": "#/components/headers/Next-Index"},
        "Cache-Control": {"$ref": "#/components/headers/Cache-Control"},
        \#(Self.servedBy)
        """#

    private static let record = #"""
        {
            "operationId": "record", "tags": ["records"], "summary": "One record.",
            "description": "It never changes, and may be cached for ever. A record that this node has needs no leader.",
            "parameters": [
                {"name": "index", "in": "path", "required": true, "schema": {"$ref": "#/components/schemas/Index"}},
                {"$ref": "#/components/parameters/forward"},
                {"$ref": "#/components/parameters/known"}
            ],
            "responses": {
                "200": {
                    "description": "The record.", "headers": {\#(Self.tagged)},
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Record"}}}
                },
                "304": {"description": "The client has it.", "headers": {\#(Self.tagged)}},
                \#(Self.problems(307, 404, 410, 421, 429, 503, 504))
            }
        }
        """#

    private static let append = #"""
        {
            "operationId": "append", "tags": ["records"], "summary": "Appends records, all of them or none.",
            "description": "Up to \#(NodeLimits.recordsPerAppendMax) records and \#(NodeLimits.bodyByteCountMax) bytes. Acknowledged once a quorum has them. With `Idempotency-Key`, or with `Holdfast-Producer` and `Holdfast-Sequence`, the same request may be sent again, to any node: it is applied once.",
            "parameters": [
                {"name": "expect", "in": "query", "description": "Appends only if the first record gets this index.", "schema": {"$ref": "#/components/schemas/Index"}},
                {"name": "ack", "in": "query", "description": "Whom to wait for; `all` voters for as long as `wait` says.", "schema": {"enum": ["quorum", "all"], "default": "quorum"}},
                {"$ref": "#/components/parameters/wait"},
                {"$ref": "#/components/parameters/forward"},
                {"name": "If-Match", "in": "header", "description": "The ETag of the tail: as `expect`.", "schema": {"type": "string", "pattern": "^\"[1-9][0-9]*\"$"}},
                {"name": "Idempotency-Key", "in": "header", "description": "One for each append, \#(NodeLimits.idempotencyKeyByteCountMax) bytes at most: a UUID, say.", "schema": {"type": "string", "minLength": 1, "maxLength": \#(NodeLimits.idempotencyKeyByteCountMax)}},
                {"name": "Holdfast-Producer", "in": "header", "description": "A random number, drawn once for each run of a program.", "schema": {"$ref": "#/components/schemas/Index"}},
                {"name": "Holdfast-Sequence", "in": "header", "description": "1, 2, 3 ... of the producer.", "schema": {"$ref": "#/components/schemas/Index"}},
                {"$ref": "#/components/parameters/fencing"}
            ],
            "requestBody": {
                "required": true,
                "content": {
                    "application/octet-stream": {"schema": {"type": "string", "contentEncoding": "binary", "description": "One record, byte for byte; `text/plain` and what `curl -d` sends, too."}},
                    "\#(PageAnswer.linesType)": {"schema": {"type": "string", "description": "One record a line, as it stands."}, "example": "first\nsecond\n"},
                    "application/json": {"schema": {"$ref": "#/components/schemas/Batch"}},
                    "\#(SessionBatch.contentType)": {"schema": {"type": "string", "contentMediaType": "\#(SessionBatch.contentType)", "description": "A session: many appends of one `Holdfast-Producer` on one stream, each answered as it commits. Little-endian. A batch: u32 length of what follows, u64 sequence, u32 count, records, each: u8 flags (1 tombstone, 2 ttl), key length, value length, with flag 2 ttl in milliseconds (all LEB128), key, value."}}
                }
            },
            "responses": {
                "200": {
                    "description": "With `Holdfast-Duplicate`: it was applied before, and this is its first receipt. Of a session: its answers, at once.",
                    "headers": {
                        "Holdfast-Duplicate": {"description": "`true`, but of a session.", "schema": {"type": "boolean", "enum": [true]}},
                        \#(Self.servedBy)
                    },
                    "content": {
                        "application/json": {"schema": {"$ref": "#/components/schemas/Receipt"}},
                        "\#(SessionBatch.contentType)": {"schema": {"type": "string", "contentMediaType": "\#(SessionBatch.contentType)", "description": "Little-endian. An acknowledgement: u32 40, u8 1, u8 flags (1 persisted, 2 duplicate), u8 nodes, u8 voters, u64 sequence, u64 first index, u32 count, u32 segment, u32 offset, u64 term. A problem, the last one: u32 length, u8 2, u64 sequence, document."}}
                    }
                },
                "201": {
                    "description": "The records are committed.", "headers": {\#(Self.servedBy)},
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Receipt"}}}
                },
                \#(Self.problems(307, 409, 412, 413, 415, 421, 429, 503, 504, 507))
            }
        }
        """#
}
