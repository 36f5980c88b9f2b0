import HTTPTypes
import HoldfastClient
import Hummingbird

/// Gives each request an id, the caller's or a drawn one, and each answer that of its request: under it the client listener
/// and the leader tell of what is taken to them.
struct RequestNaming<Context: RequestContext>: RouterMiddleware {
    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        var head = request.head
        let id = RequestID.of(head.headerFields)
        head.headerFields[.xRequestID] = id
        var response = try await next(Request(head: head, body: request.body), context)
        if response.headers[.xRequestID] == nil { response.headers[.xRequestID] = id }
        return response
    }
}
