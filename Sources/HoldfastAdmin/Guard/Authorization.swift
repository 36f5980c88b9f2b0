import HTTPTypes
import Hummingbird

/// Decides whether a request may be answered: the one place that all routes pass, after ``ForeignRequestGuard``.
package protocol AdminAuthority: Sendable {
    /// - Parameter route: The pattern of the route that will answer, `/admin/v1/status`: several paths lead to one. `nil` where
    ///   there is none.
    /// - Returns: Why not; `nil` for a request that may go on.
    func refusal(of head: HTTPRequest, at route: String?) -> AdminProblem?

    /// The same of a request that is taken to the client listener, by its head.
    func refusal(ofMirrored head: HTTPRequest) -> AdminProblem?
}

/// Of a listener that only this machine can reach, or that was said to be open to all.
package struct OpenToAll: AdminAuthority {
    package init() {}
    package func refusal(of head: HTTPRequest, at route: String?) -> AdminProblem? { nil }
    package func refusal(ofMirrored head: HTTPRequest) -> AdminProblem? { nil }
}

struct Authorization<Context: RequestContext>: RouterMiddleware {
    let authority: any AdminAuthority

    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        if let refusal = self.authority.refusal(of: request.head, at: context.endpointPath) { throw refusal }
        return try await next(request, context)
    }
}
