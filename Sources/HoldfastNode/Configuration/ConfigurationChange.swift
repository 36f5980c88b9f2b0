/// One key whose value is another one than the running node's.
struct ConfigurationChange: Hashable, Sendable {
    var key: ConfigurationKey
    var from: String
    var to: String
    var origin: ConfigurationOrigin

    /// Whether a running node takes it over.
    var isLive: Bool { self.key.entry.isLive }

    /// What differs, in the registry's order; `1MiB` and `1024KiB` do not.
    static func all(
        from running: [ConfigurationKey: String], to report: ConfigurationReport
    ) -> [ConfigurationChange] {
        report.values.compactMap { value in
            guard let before = running[value.key], !value.key.entry.kind.isSame(before, value.text) else { return nil }
            return ConfigurationChange(key: value.key, from: before, to: value.text, origin: value.origin)
        }
    }
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
