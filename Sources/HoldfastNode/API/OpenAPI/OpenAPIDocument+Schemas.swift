import HoldfastClient
import LogModel

/// The documents.
extension OpenAPIDocument {
    static let schemas = [
        Self.numbers, Self.recordSchemas, Self.stateSchemas, Self.clusterSchemas, Self.problemSchema,
    ].joined(separator: ",\n")

    private static let numbers = #"""
        "Index": {"type": "integer", "minimum": 1, "maximum": \#(UInt64.max), "description": "Of a record: gapless from 1."},
        "Count": {"type": "integer", "minimum": 0, "maximum": \#(UInt64.max)},
        "Node": {"type": "integer", "minimum": 1, "maximum": \#(UInt32.max), "description": "A node's number."},
        "Address": {"type": "string", "pattern": "^.+:[0-9]+$", "example": "127.0.0.1:7400"},
        "Position": {"type": "string", "pattern": "^[0-9]+:[0-9]+$", "description": "Segment and byte offset: the same on every node.", "example": "0:236"}
        """#

    private static let recordSchemas = #"""
        "Record": {
            "type": "object", "description": "A record as it stands in the log. `value`, and `key` if there is one, as text when they are UTF-8, else as base64.",
            "required": ["index", "term", "position", "timestamp"], "unevaluatedProperties": false,
            "properties": {
                "index": {"$ref": "#/components/schemas/Index"},
                "term": {"$ref": "#/components/schemas/Count"},
                "position": {"$ref": "#/components/schemas/Position"},
                "timestamp": {"type": "string", "format": "date-time"}
            },
            "allOf": [{"$ref": "#/components/schemas/Contents"}],
            "example": {"index": 1, "term": 1, "position": "0:236", "timestamp": "2026-11-22T20:32:09.475436198Z", "value": "hello"}
        },
        "Contents": {
            "type": "object", "description": "What users store.",
            "properties": {
                "key": {"type": "string"}, "keyBase64": {"type": "string", "contentEncoding": "base64"},
                "value": {"type": "string"}, "valueBase64": {"type": "string", "contentEncoding": "base64"},
                "tombstone": {"type": "boolean", "description": "Says that the key is deleted; carried, never interpreted."},
                "ttl_ms": {"$ref": "#/components/schemas/Count"}
            }
        },
        "NewRecord": {
            "description": "Text is a record that has it for its value. One of `value` and `valueBase64`, but a tombstone needs none.",
            "oneOf": [{"type": "string"}, {"$ref": "#/components/schemas/Contents", "unevaluatedProperties": false}]
        },
        "Records": {"type": "array", "minItems": 1, "maxItems": \#(NodeLimits.recordsPerAppendMax), "items": {"$ref": "#/components/schemas/NewRecord"}},
        "Batch": {
            "oneOf": [
                {"$ref": "#/components/schemas/Records"},
                {"type": "object", "required": ["records"], "additionalProperties": false, "properties": {"records": {"$ref": "#/components/schemas/Records"}}}
            ],
            "example": {"records": ["text", {"key": "k", "value": "v"}, {"valueBase64": "AAE="}]}
        },
        "Page": {
            "type": "object", "required": ["records", "next", "up_to_date", "first_index", "last_index"], "additionalProperties": false,
            "properties": {
                "records": {"type": "array", "maxItems": \#(NodeLimits.pageRecordCountMax), "items": {"$ref": "#/components/schemas/Record"}},
                "next": {"description": "Where the next page begins.", "$ref": "#/components/schemas/Index"},
                "up_to_date": {"type": "boolean", "description": "Nothing is committed beyond this page."},
                "first_index": {"$ref": "#/components/schemas/Index"},
                "last_index": {"$ref": "#/components/schemas/Count"}
            }
        },
        "Receipt": {
            "type": "object", "description": "Where the records stand, what is vouched for, and by how many nodes.",
            "required": ["first", "last", "position", "term", "durability", "nodes", "voters"], "additionalProperties": false,
            "properties": {
                "first": {"$ref": "#/components/schemas/Index"}, "last": {"$ref": "#/components/schemas/Index"},
                "position": {"$ref": "#/components/schemas/Position"}, "term": {"$ref": "#/components/schemas/Count"},
                "durability": {"enum": ["persisted", "replicated"], "description": "Synced by a quorum, or received."},
                "nodes": {"$ref": "#/components/schemas/Count"}, "voters": {"$ref": "#/components/schemas/Count"}
            },
            "example": {"first": 4, "last": 6, "position": "0:364", "term": 1, "durability": "persisted", "nodes": 2, "voters": 3}
        }
        """#

    private static let stateSchemas = #"""
        "CursorPlace": {
            "type": "object", "required": ["index"], "additionalProperties": false,
            "properties": {
                "index": {"description": "Of the record that the reader wants next.", "$ref": "#/components/schemas/Index"},
                "hold": {"type": "boolean", "default": false, "description": "Nothing from `index` on is trimmed."}
            },
            "example": {"index": 42, "hold": true}
        },
        "Cursor": {
            "type": "object", "required": ["name", "index", "hold"], "additionalProperties": false,
            "properties": {"name": {"type": "string"}, "index": {"$ref": "#/components/schemas/Index"}, "hold": {"type": "boolean"}}
        },
        "CursorList": {
            "type": "object", "required": ["cursors"], "additionalProperties": false,
            "properties": {"cursors": {"type": "array", "items": {"$ref": "#/components/schemas/Cursor"}}}
        },
        "FencingToken": {
            "type": "object", "required": ["token"], "additionalProperties": false,
            "properties": {"token": {"$ref": "#/components/schemas/Index"}}, "example": {"token": 7}
        },
        "TrimPlace": {
            "type": "object", "required": ["before"], "additionalProperties": false,
            "properties": {"before": {"$ref": "#/components/schemas/Index"}}, "example": {"before": 4001}
        },
        "TrimReceipt": {
            "type": "object", "required": ["first_index", "first_segment"], "additionalProperties": false,
            "properties": {"first_index": {"$ref": "#/components/schemas/Index"}, "first_segment": {"$ref": "#/components/schemas/Count"}}
        }
        """#

    private static let clusterSchemas = #"""
        "Cluster": {
            "type": "object",
            "required": ["node", "role", "term", "incarnation", "generation", "first_index", "last_index", "commit", "tail", "ready", "nodes"],
            "properties": {
                "node": {"description": "The one that answered.", "$ref": "#/components/schemas/Node"},
                "role": {"type": "string", "example": "leader"}, "term": {"$ref": "#/components/schemas/Count"},
                "leader": {"description": "Absent while none is known.", "$ref": "#/components/schemas/Node"},
                "cluster": {"type": "string", "pattern": "^[0-9a-f]{32}$"}, "incarnation": {"type": "string"},
                "generation": {"$ref": "#/components/schemas/Count"},
                "recovered": {
                    "type": "object", "description": "Where the log ended that the cluster went on with when its majority was lost.",
                    "required": ["position", "next_index"],
                    "properties": {"position": {"$ref": "#/components/schemas/Position"}, "next_index": {"$ref": "#/components/schemas/Index"}}
                },
                "first_index": {"$ref": "#/components/schemas/Index"}, "last_index": {"$ref": "#/components/schemas/Count"},
                "commit": {"$ref": "#/components/schemas/Position"}, "tail": {"$ref": "#/components/schemas/Position"},
                "ready": {"type": "boolean"},
                "voted_for": {"description": "Who has this node's vote in its term.", "$ref": "#/components/schemas/Node"},
                "tail_index": {"description": "Of the last record in its log, committed or not.", "$ref": "#/components/schemas/Count"},
                "disk_full": {"type": "boolean", "description": "What this node is to write next finds no room on its disk."},
                "retired": {"type": "string", "description": "Why this node counts for nothing any more, and what to do."},
                "nodes": {"type": "array", "items": {"$ref": "#/components/schemas/Member"}},
                "health": {
                    "type": "object",
                    "properties": {
                        "may_vote": {"type": "boolean"},
                        "damaged_segments": {"type": "array", "items": {"$ref": "#/components/schemas/Count"}},
                        "damage_found": {"$ref": "#/components/schemas/Count"}, "segments_repaired": {"$ref": "#/components/schemas/Count"},
                        "scrubbed_bytes": {"$ref": "#/components/schemas/Count"}, "scrub_passes": {"$ref": "#/components/schemas/Count"}
                    }
                }
            }
        },
        "Member": {
            "type": "object", "required": ["node", "client", "peer"],
            "properties": {
                "node": {"$ref": "#/components/schemas/Node"},
                "client": {"$ref": "#/components/schemas/Address"}, "peer": {"$ref": "#/components/schemas/Address"},
                "membership": {"enum": ["voter", "learner", "joining", "leaving"]},
                "connected": {"type": "boolean"},
                "other_protocol": {"description": "The version of the peer protocol that it speaks, and the node that answers does not.", "type": "integer", "minimum": 0},
                "later_format": {"description": "The version of the segment format that it ships as the leader, and the node that answers does not read.", "type": "integer", "minimum": 0},
                "received": {"$ref": "#/components/schemas/Position"}, "persisted": {"$ref": "#/components/schemas/Position"},
                "missing_bytes": {"description": "Of the log, not known to be on its disk; leaders know.", "$ref": "#/components/schemas/Count"},
                "lag_seconds": {"description": "For how long what it lacks has been in the log; leaders know.", "type": "number", "minimum": 0},
                "shipping": {"enum": ["disconnected", "idle", "greeting", "streaming", "fetching"]},
                "shipped_bytes": {"$ref": "#/components/schemas/Count"}, "wire_bytes": {"$ref": "#/components/schemas/Count"}
            }
        },
        "NodeStatus": {
            "type": "object", "required": ["node", "time", "started", "listeners", "policy", "draining", "cluster", "disk", "totals", "recent", "last_event"],
            "properties": {
                "node": {"$ref": "#/components/schemas/Node"},
                "cluster": {"$ref": "#/components/schemas/Cluster"}
            }
        },
        "Leader": {
            "type": "object", "required": ["leader"], "additionalProperties": false,
            "properties": {"leader": {"$ref": "#/components/schemas/Node"}, "address": {"$ref": "#/components/schemas/Address"}}
        },
        "Membership": {
            "type": "object", "required": ["voters", "outgoing", "learners"], "additionalProperties": false,
            "properties": {
                "voters": {"description": "While voters change, those to come.", "type": "array", "items": {"$ref": "#/components/schemas/Node"}},
                "outgoing": {"description": "While voters change, those before.", "type": "array", "items": {"$ref": "#/components/schemas/Node"}},
                "learners": {
                    "type": "array",
                    "items": {
                        "type": "object", "required": ["node", "promote"],
                        "properties": {"node": {"$ref": "#/components/schemas/Node"}, "promote": {"type": "boolean"}, "replaces": {"$ref": "#/components/schemas/Node"}}
                    }
                }
            }
        }
        """#

    private static let problemSchema = #"""
        "Problem": {
            "type": "object", "description": "RFC 9457.",
            "required": ["title", "status", "code", "detail", "hint", "applied", "request_id"], "additionalProperties": false,
            "properties": {
                "title": {"type": "string"}, "status": {"type": "integer"},
                "code": {"enum": [\#(ProblemCode.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", "))]},
                "detail": {"type": "string"}, "hint": {"type": "string", "description": "What to do next."},
                "applied": {"enum": ["no", "unknown", "yes"], "description": "Whether a change is in the log although it was not acknowledged as asked."},
                "request_id": {"type": "string", "description": "The request's own X-Request-Id, or one that the node drew: as in its log.", "pattern": "^[-0-9A-Za-z_.:]{1,128}$"},
                "leader": {"description": "Where the leader's clients go, when that matters and is known.", "$ref": "#/components/schemas/Address"},
                "first_index": {"description": "With TRIMMED: the first one that is kept.", "$ref": "#/components/schemas/Index"},
                "next_index": {"description": "With CONDITION_FAILED and BEHIND.", "$ref": "#/components/schemas/Index"},
                "fencing_token": {"description": "With FENCED: the log's.", "$ref": "#/components/schemas/Count"},
                "expected_sequence": {"description": "With PRODUCER_GAP.", "$ref": "#/components/schemas/Index"},
                "receipt": {"description": "With NOT_BY_ALL: the records are committed.", "$ref": "#/components/schemas/Receipt"}
            },
            "example": {"title": "Gone", "status": 410, "code": "TRIMMED", "detail": "these records were trimmed; the first one kept is 4001", "hint": "Read from 4001, or from=first.", "applied": "no", "first_index": 4001, "request_id": "a3f1"}
        }
        """#
}
