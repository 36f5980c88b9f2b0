import Crypto
import Foundation

/// What is kept of a token: never the token itself.
///
/// A token is 256 random bits, so that its plain SHA-256 cannot be turned back by trying: a slow hash is for passwords,
/// which people choose, and would cost each request what it costs an attacker.
package struct TokenRecord: Hashable, Sendable {
    package var name: String
    package var scopes: Set<AccessScope>
    package var created: Date
    /// SHA-256 of the token's text.
    package var digest: [UInt8]

    private static let prefix = "hf_"
    private static let byteCount = 32
    private static let digestWord = "sha256:"

    /// A new token, and what is to be kept of it.
    package static func make(
        name: String, scopes: Set<AccessScope>, now: Date = Date()
    ) -> (token: String, record: TokenRecord) {
        var generator = SystemRandomNumberGenerator()
        let bytes = (0..<self.byteCount).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
        let token = self.prefix + bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        let second = Date(timeIntervalSince1970: now.timeIntervalSince1970.rounded(.down))
        return (token, TokenRecord(name: name, scopes: scopes, created: second, digest: self.digest(of: token)))
    }

    static func digest(of token: some StringProtocol) -> [UInt8] { Array(SHA256.hash(data: Data(token.utf8))) }

    /// 1 to 64 letters, digits, dots, hyphens and underscores.
    package static func isName(_ text: some StringProtocol) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "._-".contains($0)) }
    }

    // MARK: A line of the file

    /// `billing append,read 2026-11-28T01:00:00Z sha256:...`
    package var line: String {
        let digits = self.digest.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        return "\(self.name) \(AccessScope.text(self.scopes)) \(self.created.formatted(.iso8601)) "
            + Self.digestWord + digits
    }

    /// - Returns: `nil` for anything but a line as above.
    package init?(line: some StringProtocol) {
        let words = line.split(separator: " ")
        guard words.count == 4, Self.isName(words[0]), let scopes = AccessScope.set(words[1]),
            let created = try? Date(String(words[2]), strategy: .iso8601), words[3].hasPrefix(Self.digestWord)
        else { return nil }
        let digits = words[3].dropFirst(Self.digestWord.count)
        guard digits.utf8.count == 64 else { return nil }
        var digest: [UInt8] = []
        var rest = digits
        while !rest.isEmpty {
            guard rest.prefix(2).allSatisfy(\.isHexDigit), let byte = UInt8(rest.prefix(2), radix: 16) else {
                return nil
            }
            digest.append(byte)
            rest = rest.dropFirst(2)
        }
        self.init(name: String(words[0]), scopes: scopes, created: created, digest: digest)
    }

    init(name: String, scopes: Set<AccessScope>, created: Date, digest: [UInt8]) {
        self.name = name
        self.scopes = scopes
        self.created = created
        self.digest = digest
    }
}
