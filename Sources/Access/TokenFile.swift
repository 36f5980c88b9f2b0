import Foundation

/// The tokens that a node takes, one a line; lines that begin with `#` are comments.
package struct TokenFile: Hashable, Sendable {
    package private(set) var records: [TokenRecord] = []

    package static let tokensMax = 1_024
    private static let byteCountMax = 256 << 10

    package init() {}

    /// - Throws: ``TokenError``.
    package init(text: String, path: String) throws(TokenError) {
        for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let line = line.trimmingCharacters(in: .whitespaces)
            guard !line.isEmpty, !line.hasPrefix("#") else { continue }
            guard let record = TokenRecord(line: line) else { throw .malformed(path, line: number + 1) }
            try self.add(record)
        }
    }

    /// - Throws: ``TokenError``.
    package init(path: String) throws(TokenError) {
        let data: Data
        do {
            let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
            defer { try? handle.close() }
            data = try handle.read(upToCount: Self.byteCountMax + 1) ?? Data()
        } catch {
            throw .unreadable(path, reason: SystemReason(error).description)
        }
        guard data.count <= Self.byteCountMax else { throw .unreadable(path, reason: "it is larger than 256 KiB") }
        try self.init(text: String(decoding: data, as: UTF8.self), path: path)
    }

    /// - Throws: ``TokenError/nameTaken(_:)``, ``TokenError/tooMany``.
    package mutating func add(_ record: TokenRecord) throws(TokenError) {
        guard !self.records.contains(where: { $0.name == record.name }) else { throw .nameTaken(record.name) }
        guard self.records.count < Self.tokensMax else { throw .tooMany }
        self.records.append(record)
    }

    /// - Returns: Whether there was one.
    package mutating func remove(_ name: String) -> Bool {
        let count = self.records.count
        self.records.removeAll { $0.name == name }
        return self.records.count < count
    }

    package var text: String {
        "# Tokens of Holdfast: name, scopes, when it was made, digest. holdfast token writes this.\n"
            + self.records.map { $0.line + "\n" }.joined()
    }
}

/// Why tokens were not taken; those from before hold on.
package enum TokenError: Error, Hashable, Sendable {
    case unreadable(String, reason: String)
    case malformed(String, line: Int)
    case nameTaken(String)
    case tooMany
}

extension TokenError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .unreadable(let path, let reason): "\(path) cannot be read: \(reason)"
        case .malformed(let path, let line): "\(path):\(line): this is no token: name, scopes, time, sha256:digest"
        case .nameTaken(let name): "there is a token called \(name) already"
        case .tooMany: "there are \(TokenFile.tokensMax) tokens already"
        }
    }
}
