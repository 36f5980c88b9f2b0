import Access
import Foundation
import Testing

@Suite struct TokenFileTests {
    @Test func `A file is read as it was written, and holds no token`() throws {
        let (token, record) = TokenRecord.make(name: "billing", scopes: [.read, .append])
        var file = TokenFile()
        try file.add(record)
        try file.add(TokenRecord.make(name: "ops", scopes: [.admin]).record)
        #expect(try TokenFile(text: file.text, path: "tokens") == file)
        #expect(!file.text.contains(token.dropFirst(3)))
        #expect(file.text.contains("billing append,read 20"))
    }

    @Test func `The digest is the SHA-256 of the token's text`() throws {
        // printf abc | sha256sum
        let line = "x read 2026-11-28T01:00:00Z sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        let file = try TokenFile(text: line, path: "tokens")
        #expect(Authorizer(file).decide("Bearer abc", for: [.read]) == .granted)
    }

    @Test(arguments: [
        "x", "x read 2026-11-28T01:00:00Z", "x read 2026-11-28T01:00:00Z sha256:ab",
        "x all 2026-11-28T01:00:00Z sha256:",
        "x/y read 2026-11-28T01:00:00Z sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        "x read yesterday sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        "x read 2026-11-28T01:00:00Z sha256:ga7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    ])
    func `A line that is no token is named`(line: String) {
        #expect(throws: TokenError.malformed("tokens", line: 3)) {
            try TokenFile(text: "# comment\n\n\(line)\n", path: "tokens")
        }
    }

    @Test func `A name is taken once, and free again after it was removed`() throws {
        var file = TokenFile()
        try file.add(TokenRecord.make(name: "a", scopes: [.read]).record)
        #expect(throws: TokenError.nameTaken("a")) { try file.add(TokenRecord.make(name: "a", scopes: [.read]).record) }
        let removals = [file.remove("a"), file.remove("a")]
        #expect(removals == [true, false])
        try file.add(TokenRecord.make(name: "a", scopes: [.read]).record)
    }

    @Test func `There is a most`() throws {
        var file = TokenFile()
        for number in 0..<TokenFile.tokensMax {
            try file.add(TokenRecord.make(name: "t\(number)", scopes: [.read]).record)
        }
        #expect(throws: TokenError.tooMany) { try file.add(TokenRecord.make(name: "more", scopes: [.read]).record) }
        #expect(try TokenFile(text: file.text, path: "tokens").records.count == TokenFile.tokensMax)
    }

    @Test func `A store takes what is right and keeps what it had otherwise`() throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "holdfast-tokens-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        #expect(throws: TokenError.self) { try TokenStore(path: path) }
        let (token, record) = TokenRecord.make(name: "a", scopes: [.read])
        var file = TokenFile()
        try file.add(record)
        try file.text.write(toFile: path, atomically: true, encoding: .utf8)
        let store = try TokenStore(path: path)
        #expect(try !store.reload())
        try "nonsense".write(toFile: path, atomically: true, encoding: .utf8)
        #expect(throws: TokenError.malformed(path, line: 1)) { try store.reload() }
        #expect(store.authorizer.decide("Bearer \(token)", for: [.read]) == .granted)
        try TokenFile().text.write(toFile: path, atomically: true, encoding: .utf8)
        #expect(try store.reload())
        #expect(store.authorizer.decide("Bearer \(token)", for: [.read]) == .unauthenticated(isTokenGiven: true))
    }

    @Test func `A store sees that the target of a link was replaced, or that the link leads elsewhere`() throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "holdfast-tokens-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(at: directory) }
        let (path, target) = (directory.appending(path: "tokens").path, directory.appending(path: "real").path)
        let (token, record) = TokenRecord.make(name: "a", scopes: [.read])
        var file = TokenFile()
        try file.add(record)
        try file.text.write(toFile: target, atomically: true, encoding: .utf8)
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: "real")
        let store = try TokenStore(path: path)
        #expect(!store.look())

        try TokenFile().text.write(toFile: target, atomically: true, encoding: .utf8)
        #expect(store.look())
        #expect(try store.reload())
        #expect(store.authorizer.decide("Bearer \(token)", for: [.read]) == .unauthenticated(isTokenGiven: true))
        #expect(!store.look())

        try file.text.write(to: directory.appending(path: "other"), atomically: true, encoding: .utf8)
        try FileManager.default.removeItem(atPath: path)
        #expect(store.look(), "none is another than one")
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: "other")
        #expect(store.look())
        #expect(try store.reload())
        #expect(store.authorizer.decide("Bearer \(token)", for: [.read]) == .granted)
    }
}
