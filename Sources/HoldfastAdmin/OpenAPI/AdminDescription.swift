/// The admin listener's description of itself: `GET /openapi.json`, OpenAPI 3.1.
///
/// AdminDescriptionTests hold its paths against the routes, and its schemas against what a node answers.
enum AdminDescription {
    static let bytes = Array((Self.text + "\n").utf8)

    private static let text = #"""
        {
        "openapi": "3.1.0",
        "info": {
            "title": "Holdfast, admin listener",
            "version": "1",
            "summary": "Health, status and events of a node and of its cluster.",
            "description": "HTTP/1.1. A request whose Host is no address or name of this node is answered with 421, one of a foreign Origin with 403. Errors are problem documents."
        },
        "servers": [{"url": "http://127.0.0.1:7402"}],
        "paths": {
        \#(Self.healthPaths),
        \#(Self.statePaths)
        },
        "components": {
            "responses": {
                "Problem": {
                    "description": "Why not, and what to do.",
                    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
                }
            },
            "schemas": {
            \#(Self.schemas)
            }
        }
        }
        """#

    private static let healthPaths = #"""
        "/metrics": {
            "get": {
                "operationId": "metrics", "summary": "For Prometheus, in its text format 0.0.4, or as OpenMetrics 1.0.0.",
                "responses": {
                    "200": {
                        "description": "As of now.",
                        "content": {
                            "text/plain": {"schema": {"type": "string"}},
                            "application/openmetrics-text": {"schema": {"type": "string"}}
                        }
                    }
                }
            }
        },
        "/livez": {
            "get": {
                "operationId": "livez", "summary": "Whether a restart would help: both event loops and the disk's thread answer.",
                "parameters": [\#(Self.verbose)],
                "responses": {\#(Self.health("Health"))}
            }
        },
        "/readyz": {
            "get": {
                "operationId": "readyz", "summary": "Whether requests should come here; a quorum is asked for it.",
                "parameters": [\#(Self.verbose)],
                "responses": {\#(Self.health("Health"))}
            }
        },
        "/readyz/{check}": {
            "get": {
                "operationId": "readyzCheck", "summary": "One check of /readyz.",
                "parameters": [
                    {"name": "check", "in": "path", "required": true, "schema": {"enum": [\#(Self.checks)]}}
                ],
                "responses": {\#(Self.health("Check")), "404": {"$ref": "#/components/responses/Problem"}}
            }
        }
        """#

    private static let statePaths = #"""
        "/admin/v1/status": {"get": {"operationId": "status", "summary": "This node.", "responses": {\#(Self.answer("NodeStatus"))}}},
        "/admin/v1/cluster": {
            "get": {
                "operationId": "cluster", "summary": "All nodes, asked now, each for 400 ms at most.",
                "responses": {\#(Self.answer("ClusterView"))}
            }
        },
        "/admin/v1/members": {
            "get": {"operationId": "members", "summary": "Who is a member, as this node sees it.", "responses": {\#(Self.answer("Cluster"))}}
        },
        "/admin/v1/segments": {
            "get": {"operationId": "segments", "summary": "This node's log, segment by segment.", "responses": {\#(Self.answer("SegmentMap"))}}
        },
        "/admin/v1/events": {
            "get": {
                "operationId": "events",
                "summary": "The newest \#(AdminLimits.eventsMax) events of this node, oldest first; as text/event-stream the same as /admin/v1/stream.",
                "parameters": [
                    {"name": "after", "in": "query", "description": "Only those behind this number.", "schema": {"type": "integer", "minimum": 0}}
                ],
                "responses": {\#(Self.answer("EventList")), "400": {"$ref": "#/components/responses/Problem"}}
            }
        },
        "/admin/v1/stream": {
            "get": {
                "operationId": "stream",
                "summary": "Server-sent events: `status` is a ClusterView, at least every second; `event` an Event of any node.",
                "parameters": [
                    {"name": "Last-Event-ID", "in": "header", "description": "Events behind this one.", "schema": {"type": "string"}}
                ],
                "responses": {
                    "200": {"description": "Until one side closes it.", "content": {"text/event-stream": {"schema": {"type": "string"}}}},
                    "429": {"$ref": "#/components/responses/Problem"}
                }
            }
        },
        "/openapi.json": {
            "get": {
                "operationId": "describe", "summary": "This document.",
                "responses": {"200": {"description": "OpenAPI 3.1.", "content": {"application/json": {"schema": {"type": "object"}}}}}
            }
        }
        """#

    private static let checks = Readiness.names.map { "\"\($0)\"" }.joined(separator: ", ")

    private static let verbose =
        #"{"name": "verbose", "in": "query", "description": "Every check by name, and not only what failed.", "allowEmptyValue": true, "schema": {"type": "string"}}"#

    private static func answer(_ schema: String) -> String {
        ##""200": {"description": "As of now.", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/\##(schema)"}}}}"##
    }

    /// Plain text, or JSON for whoever accepts that.
    private static func health(_ schema: String) -> String {
        let content =
            ##""content": {"text/plain": {"schema": {"type": "string"}}, "application/json": {"schema": {"$ref": "#/components/schemas/\##(schema)"}}}"##
        return #""200": {"description": "It is.", \#(content)}, "503": {"description": "It is not.", \#(content)}"#
    }
}
