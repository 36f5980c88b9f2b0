/// One key of the registry, for people and programs.
package struct KeyDocument: Encodable, Hashable, Sendable {
    package var key: String
    package var environment: String
    package var flag: String
    package var type: String
    package var bounds: String
    /// In words where it follows from other keys; `nil` for a key that must be said.
    package var fallback: String?
    package var required: Bool
    package var live: Bool
    package var meaning: String

    package init(_ key: ConfigurationKey) {
        let entry = key.entry
        self.key = key.rawValue
        self.environment = key.environmentName
        self.flag = entry.flag
        self.type = entry.kind.typeName
        self.bounds = entry.kind.bounds
        switch entry.fallback {
        case .none: self.fallback = nil
        case .text(let text), .derived(let text): self.fallback = text
        }
        self.required = entry.fallback == .none
        self.live = entry.isLive
        self.meaning = entry.meaning
    }

    private enum CodingKeys: String, CodingKey {
        case key, environment, flag, type, bounds, required, live, meaning
        case fallback = "default"
    }

    package var defaultWords: String { self.fallback.map { "default: \($0)" } ?? "must be said" }

    /// All keys as a table of Markdown: what stands in <doc:Configuration>.
    package static var markdown: String {
        let header = ["key", "flag", "what it takes", "default", "live", "meaning"]
        let rows = ConfigurationKey.allCases.map(KeyDocument.init).map { document in
            [
                "`\(document.key)`", "`\(document.flag)`", "\(document.type): \(document.bounds)",
                document.fallback ?? "must be said", document.live ? "yes" : "", document.meaning,
            ]
        }
        let lines = ([header, header.map { _ in "---" }] + rows).map { "| " + $0.joined(separator: " | ") + " |" }
        return lines.joined(separator: "\n") + "\n"
    }
}
