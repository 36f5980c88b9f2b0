import Hummingbird
import LogModel
import NIOCore
import Synchronization

/// How long requests took, by route and class of status. Bounded: a path that is no route counts as one with all others.
final class RequestTimes: Sendable {
    struct Series: Hashable, Comparable {
        var route: String
        /// `2xx`, `4xx`, ...
        var statusClass: String

        static func < (a: Self, b: Self) -> Bool { (a.route, a.statusClass) < (b.route, b.statusClass) }
    }

    private let times = Mutex<[Series: LatencyHistogram]>([:])

    var all: [Series: LatencyHistogram] { self.times.withLock { $0 } }

    func note(_ series: Series, nanoseconds: UInt64) {
        self.times.withLock { $0[series, default: LatencyHistogram()].note(nanoseconds: nanoseconds) }
    }
}

struct RequestTiming<Context: RequestContext>: RouterMiddleware {
    let times: RequestTimes

    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        let began = NIODeadline.now()
        let response = try await next(request, context)
        let route = context.endpointPath ?? "none"
        self.times.note(
            .init(route: route, statusClass: "\(response.status.code / 100)xx"),
            nanoseconds: UInt64((NIODeadline.now() - began).nanoseconds))
        return response
    }
}
