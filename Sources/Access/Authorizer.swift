/// Says whether a request may do what it asks for, by its `Authorization` alone (RFC 6750 §2.1). A value: both listeners ask
/// the same one.
package struct Authorizer: Hashable, Sendable {
    package enum Decision: Hashable, Sendable {
        case granted
        /// 401: no token, or one that is not known.
        case unauthenticated(isTokenGiven: Bool)
        /// 403: the token of this name is for something else.
        case forbidden(name: String)
    }

    private let records: [TokenRecord]

    package init(_ file: TokenFile) { self.records = file.records }

    /// - Parameters:
    ///   - authorization: The header field's value.
    ///   - scopes: Any of these is enough.
    package func decide(_ authorization: String?, for scopes: Set<AccessScope>) -> Decision {
        guard let authorization else { return .unauthenticated(isTokenGiven: false) }
        let words = authorization.split(separator: " ", maxSplits: 1)
        guard words.count == 2, words[0].lowercased() == "bearer" else { return .unauthenticated(isTokenGiven: false) }
        let digest = TokenRecord.digest(of: words[1])
        // All are looked at, and all of each: how long it takes says nothing of what was right.
        var found: TokenRecord?
        for record in self.records where Self.isSame(record.digest, digest) { found = record }
        guard let found else { return .unauthenticated(isTokenGiven: true) }
        return found.scopes.isDisjoint(with: scopes) ? .forbidden(name: found.name) : .granted
    }

    private static func isSame(_ a: [UInt8], _ b: [UInt8]) -> Bool {
        guard a.count == b.count else { return false }
        var difference: UInt8 = 0
        for (a, b) in zip(a, b) { difference |= a ^ b }
        return difference == 0
    }
}
