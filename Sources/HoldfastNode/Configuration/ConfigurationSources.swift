import Configuration
import Synchronization
import SystemPackage

/// Flags over environment over file, each read through swift-configuration.
///
/// The library alone lets two mistakes pass: a value that does not parse reads as absent (and so as
/// the default), and a key that nobody asks for is never noticed. Here each source is asked by
/// itself, so that an error can name it, every value is parsed by this module, and every key that a
/// source holds is compared with ``ConfigurationKey``.
struct ConfigurationSources: Sendable {
    private struct Source {
        var provider: any ConfigProvider
        /// How an error names this source, when it is about `key`.
        var name: @Sendable (ConfigurationKey) -> String
    }

    /// A value and who said it.
    struct Found {
        var text: String
        var source: String
    }

    private var sources: [Source] = []

    /// - Throws: ``ConfigurationError/unreadableFile(path:reason:)``,
    ///   ``ConfigurationError/unknownKey(_:source:suggestion:)``.
    init(
        file: String?, environment: [String: String], flags: [ConfigurationKey: [String]]
    ) async throws(ConfigurationError) {
        try Self.checkNames(in: environment)
        self.sources.append(
            Source(
                provider: InMemoryProvider(
                    name: "flags",
                    values: Dictionary(
                        uniqueKeysWithValues: flags.map { key, values in
                            let content: ConfigContent =
                                key == .peers ? .stringArray(values) : .string(values.last ?? "")
                            return (AbsoluteConfigKey(ConfigKey(key.rawValue)), ConfigValue(content, isSecret: false))
                        })),
                name: { $0.flag }))
        self.sources.append(
            Source(
                provider: EnvironmentVariablesProvider(environmentVariables: environment)
                    .prefixKeys(with: "holdfast"),
                name: { $0.environmentName }))
        if let file {
            self.sources.append(Source(provider: try await Self.provider(file: file), name: { _ in file }))
        }
    }

    /// The value of the first source that has one.
    func value(_ key: ConfigurationKey) throws(ConfigurationError) -> Found? {
        for source in self.sources {
            guard let content = try self.content(key, type: .string, in: source) else { continue }
            guard case .string(let text) = content else { continue }
            return Found(text: text, source: source.name(key))
        }
        return nil
    }

    func list(_ key: ConfigurationKey) throws(ConfigurationError) -> [Found]? {
        for source in self.sources {
            guard let content = try self.content(key, type: .stringArray, in: source) else { continue }
            guard case .stringArray(let texts) = content else { continue }
            return texts.map { Found(text: $0, source: source.name(key)) }
        }
        return nil
    }

    private func content(
        _ key: ConfigurationKey, type: ConfigType, in source: Source
    ) throws(ConfigurationError) -> ConfigContent? {
        do {
            let name = AbsoluteConfigKey(ConfigKey(key.rawValue))
            return try source.provider.value(forKey: name, type: type).value?.content
        } catch {
            throw .badValue(key, source: source.name(key), value: "\(error)")
        }
    }

    private static func checkNames(in environment: [String: String]) throws(ConfigurationError) {
        let known = Set(ConfigurationKey.allCases.map(\.environmentName))
        for name in environment.keys.sorted()
        where name.hasPrefix(ConfigurationKey.environmentPrefix)
            && !known.contains(name) && !ConfigurationKey.isForeignEnvironmentName(name)
        {
            throw .unknownKey(
                name, source: "environment",
                suggestion: self.closest(to: name, among: ConfigurationKey.allCases.map(\.environmentName)))
        }
    }

    private static func provider(file: String) async throws(ConfigurationError) -> any ConfigProvider {
        // The library asks of every key that it reads whether it is a secret: so it tells its keys.
        let recorder = KeyRecorder()
        let provider: FileProvider<YAMLSnapshot>
        do {
            provider = try await FileProvider<YAMLSnapshot>(
                parsingOptions: .init(
                    secretsSpecifier: .dynamic { key, _ in
                        recorder.record(key)
                        return false
                    }),
                filePath: FilePath(file))
        } catch {
            throw .unreadableFile(path: file, reason: "\(error)")
        }
        let known = ConfigurationKey.allCases.map(\.rawValue)
        for key in recorder.keys.sorted() where !known.contains(key) {
            throw .unknownKey(key, source: file, suggestion: self.closest(to: key, among: known))
        }
        return provider
    }

    /// The known name that differs least, when it differs by little.
    private static func closest(to name: String, among known: [String]) -> String? {
        known.map { (name: $0, distance: editDistance(name, $0)) }
            .min { $0.distance < $1.distance }
            .flatMap { $0.distance <= max(2, name.count / 4) ? $0.name : nil }
    }
}

/// Collects the keys of a file while the library parses it.
private final class KeyRecorder: Sendable {
    private let recorded = Mutex<Set<String>>([])
    var keys: Set<String> { self.recorded.withLock { $0 } }
    func record(_ key: String) { self.recorded.withLock { _ = $0.insert(key) } }
}

/// Levenshtein's distance: insertions, deletions and replacements that make `a` into `b`.
func editDistance(_ a: String, _ b: String) -> Int {
    let b = Array(b)
    var row = Array(0...b.count)
    for (i, letter) in a.enumerated() {
        var diagonal = row[0]
        row[0] = i + 1
        for j in b.indices {
            let replaced = diagonal + (letter == b[j] ? 0 : 1)
            diagonal = row[j + 1]
            row[j + 1] = min(replaced, row[j] + 1, diagonal + 1)
        }
    }
    return row[b.count]
}
