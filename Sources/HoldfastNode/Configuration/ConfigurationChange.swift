/// One key whose value is another one than the running node's.
struct ConfigurationChange: Hashable, Sendable {
    var key: ConfigurationKey
    var from: String
    var to: String
    var origin: ConfigurationOrigin

    /// Whether a running node takes it over.
    var isLive: Bool { self.key.entry.isLive }

    /// What differs, in the registry's order; `1MiB` and `1024KiB` do not. A key that has no value, before or now, has
    /// `none`.
    static func all(
        from running: [ConfigurationKey: String], to report: ConfigurationReport
    ) -> [ConfigurationChange] {
        let now = Dictionary(uniqueKeysWithValues: report.values.map { ($0.key, $0) })
        return ConfigurationKey.allCases.compactMap { key in
            let (before, after) = (running[key], now[key]?.text)
            guard before != after else { return nil }
            if let before, let after, key.entry.kind.isSame(before, after) { return nil }
            return ConfigurationChange(
                key: key, from: before ?? Self.none, to: after ?? Self.none, origin: now[key]?.origin ?? .fallback)
        }
    }

    private static let none = "none"
}

extension ConfigurationKind {
    /// Whether two good texts mean the same.
    fileprivate func isSame(_ a: String, _ b: String) -> Bool {
        switch self {
        case .duration: Units.milliseconds(a) == Units.milliseconds(b)
        case .size: Units.byteCount(a) == Units.byteCount(b)
        case .count: Int(a) == Int(b)
        case .peers: a.split(separator: ",").sorted() == b.split(separator: ",").sorted()
        default: a == b
        }
    }
}
