import HTTPTypes
import HoldfastClient
import Hummingbird
import NIOCore

/// Keeps web pages of others out: a page that a browser on this machine has open can reach a loopback port, too.
///
/// - `Host` must be an address, `localhost`, or a name of this node: a name that somebody has pointed here (DNS
///   rebinding) is refused with 421.
/// - `Origin`, which browsers send with everything that is not a plain reading of their own page, must be this very
///   listener: a foreign page's request is refused with 403.
struct ForeignRequestGuard<Context: RequestContext>: RouterMiddleware {
    /// Names by which this node may be called, beside addresses and `localhost`.
    let names: Set<String>

    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        guard let host = request.head.authority, self.knows(host) else {
            throw AdminProblem.foreignHost(request.head.authority ?? "")
        }
        if let origin = request.headers[.origin], !Self.isOwn(origin, host: host) {
            throw AdminProblem.foreignOrigin(origin)
        }
        return try await next(request, context)
    }

    private func knows(_ authority: String) -> Bool {
        let host = Self.host(of: authority.lowercased())
        return host == "localhost" || Self.isAddress(host) || self.names.contains(host)
    }

    /// `example.org:7402` and `[::1]:7402` without their ports.
    static func host(of authority: String) -> String {
        if authority.hasPrefix("["), let end = authority.firstIndex(of: "]") {
            return String(authority[authority.index(after: authority.startIndex)..<end])
        }
        return String(authority.prefix { $0 != ":" })
    }

    /// An address cannot be pointed elsewhere.
    static func isAddress(_ host: String) -> Bool { (try? SocketAddress(ipAddress: host, port: 0)) != nil }

    private static func isOwn(_ origin: String, host: String) -> Bool {
        ["http://", "https://"].contains { origin.lowercased() == $0 + host.lowercased() }
    }
}
