import HoldfastClient
import LogModel

/// Takes values out of their sources, one key after the other, and goes on after a mistake: so all are found at once.
struct ConfigurationReading {
    /// What holds for a key, and who said so.
    struct Value {
        /// As the environment would say it.
        var text: String
        var origin: ConfigurationOrigin
    }

    private let sources: ConfigurationSources
    private(set) var problems: [ConfigurationError]
    private(set) var values: [ConfigurationKey: Value] = [:]

    init(_ sources: ConfigurationSources) {
        self.sources = sources
        self.problems = sources.problems
    }

    mutating func note(_ problem: ConfigurationError) { self.problems.append(problem) }

    mutating func note(_ contradiction: ConfigurationError.Contradiction) {
        self.problems.append(.contradiction(contradiction))
    }

    /// What follows from other keys, where nobody said it.
    mutating func derive(_ key: ConfigurationKey, _ text: String) {
        if self.values[key] == nil { self.values[key] = Value(text: text, origin: .fallback) }
    }

    func origin(_ key: ConfigurationKey) -> ConfigurationOrigin { self.values[key]?.origin ?? .fallback }

    func isSaid(_ key: ConfigurationKey) -> Bool { self.origin(key) != .fallback }

    /// - Returns: `nil` for a mistake, which is noted, and for a key that nobody said and that has no default of its own.
    mutating func value<Parsed>(_ key: ConfigurationKey, _ parse: (String) -> Parsed?) -> Parsed? {
        let found: ConfigurationSources.Found
        do throws(ConfigurationError) {
            if let said = try self.sources.value(key) {
                found = said
            } else {
                guard case .text(let text) = key.entry.fallback else {
                    if key.entry.fallback == .none, !self.isNoted(key) { self.note(.missing(key)) }
                    return nil
                }
                found = .init(text: text, origin: .fallback)
            }
        } catch {
            self.note(error)
            return nil
        }
        guard let parsed = parse(found.text) else {
            self.note(.badValue(key, origin: found.origin, value: found.text))
            return nil
        }
        self.values[key] = Value(text: found.text, origin: found.origin)
        return parsed
    }

    /// Whether something was said of a key, though wrongly: then it is not missing.
    private func isNoted(_ key: ConfigurationKey) -> Bool {
        self.problems.contains {
            switch $0 {
            case .noValue(key, _), .unexpectedList(key, _), .badValue(key, _, _): true
            // What a file would have said is not known.
            case .unreadableFile, .malformedFile: true
            case .unknownKey(_, _, key): true
            default: false
            }
        }
    }

    /// - Returns: `nil` when nobody said it.
    mutating func list<Item>(
        _ key: ConfigurationKey, _ parse: (String) -> Item?
    ) -> [(item: Item, origin: ConfigurationOrigin)]? {
        do throws(ConfigurationError) {
            guard let found = try self.sources.list(key) else { return nil }
            var items: [(Item, ConfigurationOrigin)] = []
            for entry in found {
                if let item = parse(entry.text) {
                    items.append((item, entry.origin))
                } else {
                    self.note(.badValue(key, origin: entry.origin, value: entry.text))
                }
            }
            let text = found.map(\.text).joined(separator: ",")
            self.values[key] = found.first.map { Value(text: text, origin: $0.origin) }
            return items
        } catch {
            self.note(error)
            return nil
        }
    }

    // MARK: Kinds

    mutating func word(_ key: ConfigurationKey) -> String? {
        self.value(key) { text in
            guard case .word(let words) = key.entry.kind else { return nil }
            return words.contains(text) ? text : nil
        }
    }

    mutating func truth(_ key: ConfigurationKey) -> Bool? { self.value(key) { Bool($0) } }

    mutating func address(_ key: ConfigurationKey) -> ServerAddress? { self.value(key) { ServerAddress($0) } }

    mutating func milliseconds(_ key: ConfigurationKey) -> UInt64? {
        self.value(key) { text in
            guard case .duration(let range) = key.entry.kind else { return nil }
            return Units.milliseconds(text).flatMap { range.contains($0) ? $0 : nil }
        }
    }

    mutating func byteCount(_ key: ConfigurationKey) -> Int? {
        self.value(key) { text in
            guard case .size(let range) = key.entry.kind else { return nil }
            return Units.byteCount(text).flatMap { range.contains($0) ? Int($0) : nil }
        }
    }

    mutating func count(_ key: ConfigurationKey) -> Int? {
        self.value(key) { text in
            guard case .count(let range) = key.entry.kind, text.allSatisfy({ $0.isASCII && $0.isNumber }) else {
                return nil
            }
            return Int(text).flatMap { range.contains($0) ? $0 : nil }
        }
    }

    mutating func node(_ key: ConfigurationKey) -> NodeID? { self.value(key) { NodeID(configured: $0) } }

    /// - Returns: `nil` also when nobody said it.
    mutating func path(_ key: ConfigurationKey) -> String? { self.value(key) { $0.isEmpty ? nil : $0 } }

    mutating func directory(_ key: ConfigurationKey) -> String? { self.value(key) { $0.isEmpty ? nil : $0 } }
}
