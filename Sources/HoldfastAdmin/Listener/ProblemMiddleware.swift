import HTTPTypes
import Hummingbird

/// Gives every error the form of a problem document.
struct ProblemMiddleware<Context: RequestContext>: RouterMiddleware {
    let paths: KnownPaths

    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let problem as AdminProblem {
            return problem.response(to: request)
        } catch let error as HTTPError where error.status == .notFound {
            let (path, methods) = (request.uri.path, self.paths.methods(of: request.uri.path))
            let problem: AdminProblem =
                methods.isEmpty
                ? .noSuchRoute(path) : .methodNotAllowed(request.method, path, allowed: methods)
            return problem.response(to: request)
        }
    }
}
