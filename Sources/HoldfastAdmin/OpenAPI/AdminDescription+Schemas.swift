/// What the documents look like.
extension AdminDescription {
    static let schemas = #"""
        "Check": {\#(Self.object("name", "ok", "detail")), "properties": {
            "name": {"type": "string"}, "ok": {"type": "boolean"}, "detail": {"type": "string"}
        }},
        "Health": {\#(Self.object("ok", "checks")), "properties": {
            "ok": {"type": "boolean"}, "checks": {"type": "array", "items": {"$ref": "#/components/schemas/Check"}}
        }},
        "NodeStatus": {\#(Self.object("node", "time", "started", "listeners", "policy", "draining", "cluster", "disk", "totals", "recent", "last_event")), "properties": {
            "node": \#(Self.number), "time": \#(Self.time), "started": \#(Self.time),
            "listeners": {\#(Self.object("client", "peer", "admin")), "properties": {
                "client": \#(Self.address), "peer": \#(Self.address), "admin": \#(Self.address)
            }},
            "policy": {"enum": ["always", "batch", "os"]},
            "draining": {"type": "boolean", "description": "It was told to stop."},
            "cluster": {"$ref": "#/components/schemas/Cluster"},
            "repairing": {"type": "integer", "description": "The damaged segment that a good copy is on its way for."},
            "disk": {\#(Self.object("log_bytes", "segments", "full")), "properties": {
                "log_bytes": \#(Self.count), "segments": \#(Self.count), "free_bytes": \#(Self.count), "total_bytes": \#(Self.count),
                "space_age_seconds": {"type": "number", "minimum": 0, "description": "How old free_bytes and total_bytes are."},
                "full": {"type": "boolean", "description": "A write, or the next segment, waits for room: appends are refused, at the latest when the active segment is full."}
            }},
            "totals": {"type": "object", "description": "Since the process started.", "additionalProperties": \#(Self.count)},
            "recent": {"$ref": "#/components/schemas/Recent"},
            "last_event": \#(Self.count)
        }},
        "Cluster": {"type": "object", "description": "What GET /v1/cluster answers; the client listener's /openapi.json describes it.", "required": ["node", "role", "term", "nodes"]},
        "Quantiles": {\#(Self.object("p50", "p99")), "properties": {"p50": \#(Self.rate), "p99": \#(Self.rate)}},
        "Recent": {\#(Self.object("seconds", "points", "appends_per_second", "records_per_second", "bytes_per_second", "syncs_per_second")), "properties": {
            "seconds": {"type": "number", "description": "What the rates are over."},
            "appends_per_second": \#(Self.rate), "records_per_second": \#(Self.rate), "bytes_per_second": \#(Self.rate), "syncs_per_second": \#(Self.rate),
            "append_seconds": {"$ref": "#/components/schemas/Quantiles"}, "sync_seconds": {"$ref": "#/components/schemas/Quantiles"},
            "points": {"type": "array", "maxItems": \#(AdminLimits.samplesMax - 1), "description": "One for each of the last seconds, oldest first.", "items": {
                \#(Self.object("time", "records_per_second", "bytes_per_second")), "properties": {
                    "time": {"type": "number", "description": "Seconds since 1970."},
                    "records_per_second": \#(Self.rate), "bytes_per_second": \#(Self.rate),
                    "append_seconds": {"$ref": "#/components/schemas/Quantiles"}, "sync_seconds": {"$ref": "#/components/schemas/Quantiles"}
                }
            }}
        }},
        "ClusterView": {\#(Self.object("node", "time", "term", "nodes")), "properties": {
            "node": \#(Self.number), "time": \#(Self.time), "leader": \#(Self.number), "term": \#(Self.count),
            "nodes": {"type": "array", "items": {\#(Self.object("node", "client", "reachable")), "properties": {
                "node": \#(Self.number), "client": \#(Self.address), "reachable": {"type": "boolean"},
                "reason": {"type": "string", "description": "Why it is not."},
                "age_seconds": {"type": "number", "description": "How old its status is."},
                "status": {"$ref": "#/components/schemas/NodeStatus"}
            }}}
        }},
        "SegmentMap": {\#(Self.object("node", "segments")), "properties": {
            "node": \#(Self.number),
            "segments": {"type": "array", "items": {\#(Self.object("segment", "first_index", "records", "bytes", "state", "terms")), "properties": {
                "segment": \#(Self.count), "first_index": \#(Self.count), "records": \#(Self.count), "bytes": \#(Self.count),
                "state": {"enum": ["active", "sealed", "quarantined", "repairing"]},
                "terms": {"type": "array", "items": \#(Self.count)}
            }}}
        }},
        "Event": {\#(Self.object("node", "number", "time", "kind", "text")), "properties": {
            "node": \#(Self.number), "number": \#(Self.count), "time": \#(Self.time), "kind": {"type": "string"}, "text": {"type": "string"},
            "term": \#(Self.count), "leader": \#(Self.number), "role": {"type": "string"}, "segment": \#(Self.count), "peer": \#(Self.number)
        }},
        "EventList": {\#(Self.object("node", "last", "events")), "properties": {
            "node": \#(Self.number), "last": \#(Self.count), "events": {"type": "array", "maxItems": \#(AdminLimits.eventsMax), "items": {"$ref": "#/components/schemas/Event"}}
        }},
        "Problem": {\#(Self.object("title", "status", "code", "detail", "hint", "applied", "request_id")), "properties": {
            "title": {"type": "string"}, "status": {"type": "integer"}, "code": {"type": "string"}, "detail": {"type": "string"},
            "hint": {"type": "string"}, "applied": {"enum": ["no", "unknown", "yes"]}, "request_id": {"type": "string"}
        }}
        """#

    private static let number = #"{"type": "integer", "minimum": 1}"#
    private static let count = #"{"type": "integer", "minimum": 0}"#
    private static let rate = #"{"type": "number", "minimum": 0}"#
    private static let time = #"{"type": "string", "format": "date-time"}"#
    private static let address = #"{"type": "string", "description": "host:port"}"#

    private static func object(_ required: String...) -> String {
        #""type": "object", "required": [\#(required.map { "\"\($0)\"" }.joined(separator: ", "))]"#
    }
}
