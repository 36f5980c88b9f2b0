import LogModel

/// Cursors, the fencing token, trims.
extension OpenAPIDocument {
    static let statePaths = #"""
        "/v1/cursors": {
            "get": {
                "operationId": "cursors", "tags": ["state"], "summary": "The durable cursors, ascending by name.",
                "parameters": [{"$ref": "#/components/parameters/forward"}],
                "responses": {
                    \#(Self.answer("All of them.", "CursorList")),
                    \#(Self.problems(307, 421, 503, 504))
                }
            }
        },
        "/v1/cursors/{name}": {
            "parameters": [{"$ref": "#/components/parameters/cursor"}, {"$ref": "#/components/parameters/forward"}],
            "get": {
                "operationId": "cursor", "tags": ["state"], "summary": "How far a reader has come.",
                "responses": {
                    \#(Self.answer("The cursor.", "Cursor")),
                    \#(Self.problems(307, 404, 421, 503, 504))
                }
            },
            "put": {
                "operationId": "setCursor", "tags": ["state"], "summary": "Moves a cursor, forwards or back, or makes it.",
                "requestBody": {
                    "required": true,
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/CursorPlace"}}}
                },
                "responses": {
                    \#(Self.answer("Where it is now.", "Cursor")),
                    \#(Self.problems(307, 409, 413, 421, 429, 503, 504, 507))
                }
            },
            "delete": {
                "operationId": "deleteCursor", "tags": ["state"], "summary": "Deletes a cursor.",
                "responses": {
                    "204": {"description": "It is gone.", "headers": {\#(Self.servedBy)}},
                    \#(Self.problems(307, 404, 421, 429, 503, 504, 507))
                }
            }
        },
        "/v1/fencing-token": {
            "put": {
                "operationId": "raiseFence", "tags": ["state"],
                "summary": "From here on no append with a lower token is taken.",
                "parameters": [{"$ref": "#/components/parameters/forward"}],
                "requestBody": {
                    "required": true,
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/FencingToken"}}}
                },
                "responses": {
                    \#(Self.answer("The log's token now.", "FencingToken")),
                    \#(Self.problems(307, 409, 413, 421, 429, 503, 504, 507))
                }
            }
        },
        "/v1/trim": {
            "post": {
                "operationId": "trim", "tags": ["state"],
                "summary": "Removes the beginning of the log on every node, in whole segments.",
                "description": "Records before the index, which is said in the query or in the body. The newest sealed segment stays. Asking again is safe.",
                "parameters": [
                    {"name": "before", "in": "query", "schema": {"$ref": "#/components/schemas/Index"}},
                    {"$ref": "#/components/parameters/forward"}
                ],
                "requestBody": {
                    "required": false,
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/TrimPlace"}}}
                },
                "responses": {
                    \#(Self.answer("Where the log begins then.", "TrimReceipt")),
                    \#(Self.problems(307, 413, 421, 429, 503, 504))
                }
            }
        }
        """#

    /// A `200` with a document.
    static func answer(_ description: String, _ schema: String, fields: String = "") -> String {
        #"""
        "200": {
            "description": "\#(description)", "headers": {\#(fields)\#(Self.servedBy)},
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/\#(schema)"}}}
        }
        """#
    }
}
