import LogModel

/// The log's files, for backups.
extension OpenAPIDocument {
    static let segmentPaths = #"""
        "/v1/segments": {
            "get": {
                "operationId": "segments", "tags": ["segments"],
                "summary": "How far the asked node's segments are committed.",
                "description": "Equal positions of a cluster's nodes hold equal bytes, so what one node cannot give another can.",
                "responses": {
                    \#(Self.answer("What the node has.", "Segments", fields: Self.header("Cache-Control", "Cache-Control") + ",")),
                    \#(Self.problems(503))
                }
            }
        },
        "/v1/segments/{segment}": {
            "get": {
                "operationId": "frames", "tags": ["segments"],
                "summary": "Committed frames, as they stand in the asked node's file.",
                "description": "Whole frames whose checksums were checked; from offset 0 on, the segment's header of 64 bytes before them. An empty answer is the end: of the segment when `Holdfast-Next-Position` names the next one, of what is committed when it names the position that was asked for.",
                "parameters": [
                    {"name": "segment", "in": "path", "required": true, "schema": {"type": "integer", "minimum": 0, "maximum": \#(UInt32.max), "example": 0}},
                    {"name": "offset", "in": "query", "description": "0, or where a frame begins.", "schema": {"type": "integer", "minimum": 0, "maximum": \#(UInt32.max), "default": 0}},
                    {"name": "limit", "in": "query", "description": "Bytes; one frame comes in any case.", "schema": {"type": "integer", "minimum": 1, "maximum": \#(NodeLimits.segmentReadByteCountMax), "default": \#(NodeLimits.segmentReadByteCount)}}
                ],
                "responses": {
                    "200": {
                        "description": "The frames.",
                        "headers": {
                            "Holdfast-Next-Position": {"description": "Where to read on.", "required": true, "schema": {"$ref": "#/components/schemas/Position"}},
                            \#(Self.header("Cache-Control", "Cache-Control")), \#(Self.servedBy)
                        },
                        "content": {"application/octet-stream": {}}
                    },
                    \#(Self.problems(404, 410, 429, 503))
                }
            }
        }
        """#

    static let segmentSchemas = #"""
        "Segments": {
            "type": "object",
            "required": ["node", "cluster", "generation", "term", "first_segment", "first_index", "commit", "last_index", "bytes"],
            "properties": {
                "node": {"description": "The one that answered.", "$ref": "#/components/schemas/Node"},
                "cluster": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
                "generation": {"$ref": "#/components/schemas/Count"},
                "term": {"$ref": "#/components/schemas/Count"},
                "first_segment": {"$ref": "#/components/schemas/Count"},
                "first_index": {"$ref": "#/components/schemas/Index"},
                "commit": {"description": "Nothing behind it is given away.", "$ref": "#/components/schemas/Position"},
                "last_index": {"$ref": "#/components/schemas/Count"},
                "bytes": {"description": "From the first segment to the commit position.", "$ref": "#/components/schemas/Count"}
            }
        }
        """#
}
