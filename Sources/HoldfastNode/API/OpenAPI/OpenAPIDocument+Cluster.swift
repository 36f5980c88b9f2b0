/// Discovery, leadership, membership, and this document.
extension OpenAPIDocument {
    static let clusterPaths = #"""
        "/v1/cluster": {
            "get": {
                "operationId": "cluster", "tags": ["cluster"],
                "summary": "Members, leader, term and commit, as this node sees them.",
                "responses": {
                    \#(Self.answer("What the node knows.", "Cluster", fields: Self.header("Cache-Control", "Cache-Control") + ",")),
                    \#(Self.problems())
                }
            }
        },
        "/openapi.json": {
            "get": {
                "operationId": "describe", "tags": ["cluster"], "summary": "This document.",
                "responses": {
                    "200": {
                        "description": "OpenAPI 3.1.", "headers": {\#(Self.servedBy)},
                        "content": {"application/json": {"schema": {"type": "object", "required": ["openapi", "paths"]}}}
                    },
                    \#(Self.problems())
                }
            }
        },
        "/admin/v1/status": {
            "get": {
                "operationId": "nodeStatus", "tags": ["cluster"],
                "summary": "All that this node knows of itself, as its admin listener tells it.",
                "parameters": [
                    {"name": "events_after", "in": "query", "description": "Also the events behind this number.", "schema": {"type": "integer", "minimum": 0, "maximum": \#(UInt64.max)}}
                ],
                "responses": {
                    \#(Self.answer("What the node knows.", "NodeStatus", fields: Self.header("Cache-Control", "Cache-Control") + ",")),
                    \#(Self.problems())
                }
            }
        },
        "/admin/v1/transfer": {
            "post": {
                "operationId": "transfer", "tags": ["cluster"], "summary": "Gives leadership to another node.",
                "description": "Appends that come meanwhile wait; none is refused.",
                "parameters": [
                    {"name": "to", "in": "query", "description": "Whoever is furthest, if nobody is named.", "schema": {"$ref": "#/components/schemas/Node"}},
                    {"$ref": "#/components/parameters/forward"}
                ],
                "responses": {
                    \#(Self.answer("Who leads now.", "Leader")),
                    \#(Self.problems(307, 409, 421, 503, 504))
                }
            }
        },
        "/admin/v1/members": {
            "post": {
                "operationId": "addMember", "tags": ["cluster"],
                "summary": "Adds a node that runs: a learner, which votes as soon as it is level.",
                "parameters": [
                    {"name": "node", "in": "query", "required": true, "schema": {"$ref": "#/components/schemas/Node"}},
                    {"name": "peer", "in": "query", "description": "Where other nodes find it, `HOST:PORT`; with `client`.", "schema": {"$ref": "#/components/schemas/Address"}},
                    {"name": "client", "in": "query", "description": "Where clients find it; with `peer`.", "schema": {"$ref": "#/components/schemas/Address"}},
                    {"name": "replaces", "in": "query", "description": "A voter that leaves when this one votes.", "schema": {"$ref": "#/components/schemas/Node"}},
                    {"name": "promote", "in": "query", "description": "`false` keeps it a learner.", "schema": {"type": "boolean", "default": true}},
                    {"$ref": "#/components/parameters/forward"}
                ],
                "responses": {
                    \#(Self.answer("The membership now; the rest follows by itself.", "Membership")),
                    \#(Self.problems(307, 404, 409, 421, 503, 504))
                }
            }
        },
        "/admin/v1/members/{node}": {
            "delete": {
                "operationId": "removeMember", "tags": ["cluster"], "summary": "Takes a node out of the cluster.",
                "parameters": [{"$ref": "#/components/parameters/node"}, {"$ref": "#/components/parameters/forward"}],
                "responses": {
                    \#(Self.answer("The membership now.", "Membership")),
                    \#(Self.problems(307, 404, 409, 421, 503, 504))
                }
            }
        },
        "/admin/v1/members/{node}/promote": {
            "post": {
                "operationId": "promoteMember", "tags": ["cluster"],
                "summary": "Lets a learner vote as soon as it is level.",
                "parameters": [{"$ref": "#/components/parameters/node"}, {"$ref": "#/components/parameters/forward"}],
                "responses": {
                    \#(Self.answer("The membership now.", "Membership")),
                    \#(Self.problems(307, 404, 409, 421, 503, 504))
                }
            }
        }
        """#
}
