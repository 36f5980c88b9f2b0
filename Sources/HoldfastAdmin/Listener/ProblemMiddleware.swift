import HTTPTypes
import HoldfastClient
import Hummingbird
import NIOCore

/// Gives every error the form of a problem document, and lets the node know of it where somebody may read it.
struct ProblemMiddleware<Context: RequestContext>: RouterMiddleware {
    let paths: KnownPaths
    let node: any AdminNode

    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let problem as AdminProblem {
            return self.answer(to: request, problem)
        } catch let error as HTTPError where error.status == .notFound {
            let (path, methods) = (request.uri.path, self.paths.methods(of: request.uri.path))
            let problem: AdminProblem =
                methods.isEmpty
                ? .noSuchRoute(path) : .methodNotAllowed(request.method, path, allowed: methods)
            return self.answer(to: request, problem)
        }
    }

    /// It says under which id ``RequestNaming`` knows the request.
    private func answer(to request: Request, _ problem: AdminProblem) -> Response {
        var (document, fields) = (problem.document, problem.fields)
        if let id = request.headers[.xRequestID] { document.requestID = id }
        if !problem.isUnheard { self.node.refused(document, of: request.head) }
        fields[.contentType] = "application/problem+json"
        return Response(
            status: HTTPResponse.Status(code: document.status, reasonPhrase: document.title), headers: fields,
            body: .init(byteBuffer: ByteBuffer(bytes: JSONDocument.encode(document))))
    }
}
