import HTTPTypes
import Hummingbird

/// Gives every error the form of a problem document.
struct ProblemMiddleware<Context: RequestContext>: RouterMiddleware {
    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let problem as AdminProblem {
            return problem.response
        } catch let error as HTTPError where error.status == .notFound {
            let isReading = request.method == .get || request.method == .head
            return isReading
                ? AdminProblem.noSuchRoute(request.uri.path).response
                : AdminProblem.methodNotAllowed(request.method, request.uri.path).response
        }
    }
}
