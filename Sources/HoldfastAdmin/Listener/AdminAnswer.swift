import HTTPTypes
import HoldfastClient
import Hummingbird
import NIOCore

/// Answers as the admin routes give them: never from a cache, never taken for another type than they are.
enum AdminAnswer {
    private static let fields: HTTPFields = [.cacheControl: "no-store", .xContentTypeOptions: "nosniff"]

    static func json(_ document: some Encodable, status: HTTPResponse.Status = .ok) -> Response {
        self.bytes(JSONDocument.encode(document), type: "application/json", status: status)
    }

    static func text(_ text: String, status: HTTPResponse.Status = .ok) -> Response {
        self.bytes(Array(text.utf8), type: "text/plain; charset=utf-8", status: status)
    }

    static func bytes(_ bytes: [UInt8], type: String, status: HTTPResponse.Status = .ok) -> Response {
        var fields = self.fields
        fields[.contentType] = type
        return Response(status: status, headers: fields, body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
    }

    static func stream(
        _ write: @escaping @Sendable (inout any ResponseBodyWriter) async throws -> Void
    ) -> Response {
        var fields = self.fields
        fields[.contentType] = "text/event-stream"
        return Response(status: .ok, headers: fields, body: ResponseBody(write))
    }
}

extension Request {
    /// Whether `type` stands among what the client accepts; `*/*` does not count.
    func accepts(_ type: String) -> Bool {
        self.headers[values: .accept].contains { field in
            field.split(separator: ",").contains { item in
                let name = item.prefix { $0 != ";" }.filter { $0 != " " }
                return name.lowercased() == type
            }
        }
    }
}
