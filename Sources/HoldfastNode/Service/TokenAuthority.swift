import Access
import HTTPTypes
import HoldfastAdmin
import HoldfastClient

/// Who may read what the admin listener itself tells. What it takes to the client listener is judged there, by the same
/// tokens; and here before, by its head, so that nobody fills the node's memory with what will be refused.
///
/// Health, metrics and the pages stay open: probes and scrapers carry no token, and none of them shows a record.
struct TokenAuthority: AdminAuthority {
    let tokens: TokenStore

    private static let scopes: Set<AccessScope> = [.read, .admin]

    func refusal(of head: HTTPRequest, at route: String?) -> AdminProblem? {
        // By the route, and not by the path: the router takes `//admin//v1/status/` for the same.
        guard head.method == .get || head.method == .head, let route, route.hasPrefix("/admin/") else { return nil }
        let decision = self.tokens.authorizer.decide(head.headerFields[.authorization], for: Self.scopes)
        return Problem(decision, for: Self.scopes).map(AdminProblem.init)
    }

    func refusal(ofMirrored head: HTTPRequest) -> AdminProblem? {
        let (path, _) = QueryParameters.split(head.path ?? "/")
        do throws(Problem) {
            guard let scopes = try Route.decide(method: head.method, path: path).scopes else { return nil }
            let decision = self.tokens.authorizer.decide(head.headerFields[.authorization], for: scopes)
            return Problem(decision, for: scopes).map(AdminProblem.init)
        } catch {
            // No route: its body need not come first to hear that.
            return AdminProblem(error)
        }
    }
}

extension Problem {
    /// - Returns: `nil` for what is granted.
    init?(_ decision: Authorizer.Decision, for scopes: Set<AccessScope>) {
        switch decision {
        case .granted: return nil
        case .unauthenticated(let isTokenGiven): self = .unauthenticated(isTokenGiven: isTokenGiven)
        case .forbidden(let name): self = .forbidden(name, scopes)
        }
    }
}

extension AdminProblem {
    /// In the form of the other listener.
    fileprivate init(_ problem: Problem) {
        self.init(
            problem.status, problem.document.code, problem.document.detail, hint: problem.document.hint,
            fields: problem.fields)
    }
}
