/// What a token allows. None contains another: a token says all that it is for.
package enum AccessScope: String, Hashable, Sendable, CaseIterable {
    /// Appending records, and fencing.
    case append
    /// Reading records, and keeping cursors.
    case read
    /// Trimming, members, leadership; and what the admin listener changes.
    case admin

    /// Parses `append,read`.
    ///
    /// - Returns: `nil` for none, and for a word that is no scope.
    package static func set(_ text: some StringProtocol) -> Set<AccessScope>? {
        let words = text.split(separator: ",", omittingEmptySubsequences: false)
        let scopes = words.compactMap { AccessScope(rawValue: String($0)) }
        return scopes.count == words.count && !scopes.isEmpty ? Set(scopes) : nil
    }

    /// `append,read`, in the order of the cases.
    package static func text(_ scopes: Set<AccessScope>) -> String {
        Self.allCases.filter(scopes.contains).map(\.rawValue).joined(separator: ",")
    }
}
