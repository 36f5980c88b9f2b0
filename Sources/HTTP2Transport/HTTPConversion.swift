import HTTP2Session
import HTTPTypes

/// Header lists to and from the ecosystem's request and response types.
enum HTTPConversion {
    /// - Returns: `nil` when a pseudo-header is missing or no method, which nghttp2 lets through only for odd requests.
    static func request(_ fields: [HTTP2Field]) -> HTTPRequest? {
        var method: HTTPRequest.Method?
        var (scheme, authority, path): (String?, String?, String?)
        var headers = HTTPFields()
        headers.reserveCapacity(fields.count)
        for field in fields {
            switch field.name {
            case ":method": method = HTTPRequest.Method(field.value)
            case ":scheme": scheme = field.value
            case ":authority": authority = field.value
            case ":path": path = field.value
            default: Self.append(field, to: &headers)
            }
        }
        guard let method, let path else { return nil }
        return HTTPRequest(method: method, scheme: scheme, authority: authority, path: path, headerFields: headers)
    }

    static func response(_ fields: [HTTP2Field]) -> HTTPResponse? {
        var status: Int?
        var headers = HTTPFields()
        headers.reserveCapacity(fields.count)
        for field in fields {
            if field.name == ":status" { status = Int(field.value) } else { Self.append(field, to: &headers) }
        }
        guard let status, (100..<1_000).contains(status) else { return nil }
        return HTTPResponse(status: HTTPResponse.Status(code: status), headerFields: headers)
    }

    static func headers(_ fields: [HTTP2Field]) -> HTTPFields {
        var headers = HTTPFields()
        for field in fields where field.name.utf8.first != UInt8(ascii: ":") { Self.append(field, to: &headers) }
        return headers
    }

    static func fields(
        _ request: HTTPRequest, defaultScheme: String, defaultAuthority: String
    ) -> [HTTP2Field] {
        var fields = [
            HTTP2Field(":method", request.method.rawValue),
            HTTP2Field(":scheme", request.scheme ?? defaultScheme),
            HTTP2Field(":authority", request.authority ?? defaultAuthority),
            HTTP2Field(":path", request.path ?? "/"),
        ]
        fields.reserveCapacity(4 + request.headerFields.count)
        Self.append(request.headerFields, to: &fields)
        return fields
    }

    static func fields(_ response: HTTPResponse) -> [HTTP2Field] {
        var fields = [HTTP2Field(":status", "\(response.status.code)")]
        fields.reserveCapacity(1 + response.headerFields.count)
        Self.append(response.headerFields, to: &fields)
        return fields
    }

    static func fields(_ headers: HTTPFields) -> [HTTP2Field] {
        var fields: [HTTP2Field] = []
        Self.append(headers, to: &fields)
        return fields
    }

    private static func append(_ headers: HTTPFields, to fields: inout [HTTP2Field]) {
        for header in headers { fields.append(HTTP2Field(header.name.canonicalName, header.value)) }
    }

    private static func append(_ field: HTTP2Field, to headers: inout HTTPFields) {
        guard let name = HTTPField.Name(field.name) else { return }
        headers.append(HTTPField(name: name, value: field.value))
    }
}
