import Access
import Foundation
import Testing

@Suite struct AuthorizerTests {
    private static func authorizer(_ scopes: Set<AccessScope>) throws -> (Authorizer, token: String) {
        let (token, record) = TokenRecord.make(name: "billing", scopes: scopes)
        var file = TokenFile()
        for number in 0..<3 { try file.add(TokenRecord.make(name: "other\(number)", scopes: [.admin]).record) }
        try file.add(record)
        return (Authorizer(file), token)
    }

    @Test func `A token grants its scopes, and no other`() throws {
        let (authorizer, token) = try Self.authorizer([.append, .read])
        #expect(authorizer.decide("Bearer \(token)", for: [.append]) == .granted)
        #expect(authorizer.decide("bearer \(token)", for: [.read]) == .granted, "the scheme has no case (RFC 9110)")
        #expect(authorizer.decide("Bearer \(token)", for: [.admin, .read]) == .granted, "any is enough")
        #expect(authorizer.decide("Bearer \(token)", for: [.admin]) == .forbidden(name: "billing"))
    }

    @Test func `Without a token, and with one that is not known, nobody is granted anything`() throws {
        let (authorizer, token) = try Self.authorizer([.append])
        for text in [nil, "", "Bearer", "Basic \(token)", token] {
            #expect(authorizer.decide(text, for: [.append]) == .unauthenticated(isTokenGiven: false))
        }
        for text in ["hf_", token.dropLast() + "0x", token + " ", " " + token, token.uppercased(), "hf_\(token)"] {
            #expect(
                authorizer.decide("Bearer  \(text)x", for: [.append]) == .unauthenticated(isTokenGiven: true), "\(text)"
            )
        }
        #expect(
            Authorizer(TokenFile()).decide("Bearer \(token)", for: [.append]) == .unauthenticated(isTokenGiven: true))
    }

    @Test func `Tokens are long and never the same`() {
        let tokens = (0..<100).map { TokenRecord.make(name: "\($0)", scopes: [.read]).token }
        #expect(Set(tokens).count == 100)
        #expect(tokens.allSatisfy { $0.utf8.count == 67 && $0.hasPrefix("hf_") })
    }
}
