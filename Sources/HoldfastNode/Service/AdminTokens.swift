import Access
import HTTPTypes
import HoldfastAdmin

/// Asks requests of the admin listener for a token, once the node has tokens.
///
/// Health, the page and its files, and the description say nothing of the log: they are open to whoever reaches the
/// listener. What goes on to the client listener is judged there.
struct AdminTokens: AdminAuthority {
    private static let scopes: Set<AccessScope> = [.read, .admin]
    private static let open: Set<Substring> = ["", "livez", "readyz", "openapi.json", "v1"]

    let security: SecurityWatch

    func refusal(of head: HTTPRequest) -> AdminProblem? {
        guard let authorizer = self.security.tokens?.authorizer, !Self.isOpen(head.path ?? "/") else { return nil }
        let problem: Problem
        switch authorizer.decide(head.headerFields[.authorization], for: Self.scopes) {
        case .granted: return nil
        case .unauthenticated(let isTokenGiven): problem = .unauthenticated(isTokenGiven: isTokenGiven)
        case .forbidden(let name): problem = .forbidden(name, Self.scopes)
        }
        return AdminProblem(
            problem.status, problem.document.code, problem.document.detail, hint: problem.document.hint,
            fields: problem.fields)
    }

    /// Files of the page stand beside it, and have a dot in their name.
    static func isOpen(_ path: String) -> Bool {
        let parts = path.prefix { $0 != "?" }.split(separator: "/")
        let first = parts.first ?? ""
        return Self.open.contains(first) || parts.count == 1 && first.contains(".")
    }
}
