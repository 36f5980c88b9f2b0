import Access
import HTTPTypes
import HoldfastAdmin
import HoldfastClient

/// Who may read what the admin listener itself tells. What it takes to the client listener is judged there, by the same
/// tokens.
///
/// Health, metrics and the pages stay open: probes and scrapers carry no token, and none of them shows a record.
struct TokenAuthority: AdminAuthority {
    let tokens: TokenStore

    private static let scopes: Set<AccessScope> = [.read, .admin]

    func refusal(of head: HTTPRequest) -> AdminProblem? {
        guard head.method == .get || head.method == .head, (head.path ?? "").hasPrefix("/admin/") else { return nil }
        let decision = self.tokens.authorizer.decide(head.headerFields[.authorization], for: Self.scopes)
        return Problem(decision, for: Self.scopes).map(AdminProblem.init)
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
