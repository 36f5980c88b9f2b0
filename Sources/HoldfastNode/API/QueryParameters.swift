/// What becomes of a request that only the leader can answer, at a node that does not lead.
enum Forwarding: String {
    case auto
    case redirect
    case never
}

/// The part of a request's path after `?`, decoded.
struct QueryParameters {
    private var values: [String: String] = [:]

    init() {}

    /// - Throws: 400 for a broken escape and for a name given twice.
    init(_ query: Substring) throws(Problem) {
        for pair in query.split(separator: "&") {
            let halves = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = Self.decoded(halves[0]), let value = Self.decoded(halves.count > 1 ? halves[1] : "")
            else { throw .badRequest("the query \(pair) has a broken % escape", hint: "Write % as %25.") }
            guard self.values.updateValue(value, forKey: name) == nil else {
                throw .badRequest("the query names \(name) twice", hint: "Give each parameter once.")
            }
        }
    }

    /// Splits `/v1/records?from=1` into its path and its query.
    static func split(_ target: String) -> (path: Substring, query: Substring) {
        guard let mark = target.firstIndex(of: "?") else { return (target[...], "") }
        return (target[..<mark], target[target.index(after: mark)...])
    }

    /// - Throws: 400 for a parameter that is none of `names`: a misspelt one must not be ignored.
    func check(only names: Set<String>) throws(Problem) {
        for name in self.values.keys.sorted() where !names.contains(name) {
            let known = names.sorted().joined(separator: ", ")
            throw .badRequest(
                "unknown query parameter \(name)", hint: known.isEmpty ? "None is known here." : "Known here: \(known)."
            )
        }
    }

    /// - Throws: 400 when the value is there and `parse` does not take it.
    func value<Value>(
        _ name: String, expected: String, parse: (String) -> Value?
    ) throws(Problem) -> Value? {
        guard let text = self.values[name] else { return nil }
        guard let value = parse(text) else {
            throw .badRequest("\(name)=\(text) is not understood", hint: "\(name) must be \(expected).")
        }
        return value
    }

    func forwarding() throws(Problem) -> Forwarding {
        try self.value("forward", expected: "auto, redirect or never") { Forwarding(rawValue: $0) } ?? .auto
    }

    /// How long the request may be waited for, in milliseconds.
    func wait() throws(Problem) -> UInt64? {
        try self.value("wait", expected: "a duration up to 60s, for example 5s") { text in
            Units.milliseconds(text).flatMap { $0 <= NodeLimits.waitMillisecondsMax ? $0 : nil }
        }
    }

    func flag(_ name: String) throws(Problem) -> Bool? {
        try self.value(name, expected: "true or false") { $0.isEmpty ? true : Bool($0) }
    }

    private static func decoded(_ text: Substring) -> String? {
        guard text.utf8.contains(where: { $0 == UInt8(ascii: "%") || $0 == UInt8(ascii: "+") }) else {
            return String(text)
        }
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "+"): bytes.append(UInt8(ascii: " "))
            case UInt8(ascii: "%"):
                guard
                    let high = rest.popFirst().flatMap({ Character(UnicodeScalar($0)).hexDigitValue }),
                    let low = rest.popFirst().flatMap({ Character(UnicodeScalar($0)).hexDigitValue })
                else { return nil }
                bytes.append(UInt8(high << 4 | low))
            default: bytes.append(byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
