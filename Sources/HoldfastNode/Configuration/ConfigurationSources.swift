import Configuration

/// Flags over environment over file, each read through swift-configuration.
///
/// The library alone lets two mistakes pass: a value that does not parse reads as absent (and so as
/// the default), and a key that nobody asks for is never noticed. Here each source is asked by
/// itself, so that an error can name it, every value is parsed by this module, and every key that a
/// source holds is compared with ``ConfigurationKey``.
struct ConfigurationSources: Sendable {
    private struct Source {
        var provider: any ConfigProvider
        /// Who says it, when `key` is found here; `item` is a place in a list.
        var origin: @Sendable (_ key: ConfigurationKey, _ item: Int?) -> ConfigurationOrigin
    }

    /// A value and who said it.
    struct Found {
        var text: String
        var origin: ConfigurationOrigin
    }

    private var sources: [Source] = []
    /// What is wrong with the sources themselves, whatever their values are.
    private(set) var problems: [ConfigurationError] = []

    init(_ input: ConfigurationInput) {
        self.problems = Self.unknownNames(in: input.environment)
        let said = input.flags.map { key, values in
            (key, key == .peers ? ConfigurationFile.Content.list(values) : .value(values.last ?? ""))
        }
        self.sources.append(
            Source(
                provider: Self.provider("flags", Dictionary(uniqueKeysWithValues: said)),
                origin: { key, _ in .flag(key.flag) }))
        self.sources.append(
            Source(
                provider: EnvironmentVariablesProvider(environmentVariables: input.environment)
                    .prefixKeys(with: "holdfast"),
                origin: { key, _ in .environment(key.environmentName) }))
        if let path = input.file {
            let file = ConfigurationFile(path: path)
            self.problems += file.problems
            self.sources.append(
                Source(
                    provider: Self.provider(file.path, file.said.mapValues(\.content)),
                    origin: { key, item in
                        let said = file.said[key]
                        let line = item.flatMap { said?.itemLines[$0] } ?? said?.line
                        return .file(file.path, line: line ?? 1)
                    }))
        }
    }

    /// The value of the first source that has one.
    func value(_ key: ConfigurationKey) throws(ConfigurationError) -> Found? {
        for source in self.sources {
            guard case .string(let text) = try self.content(key, type: .string, in: source) else { continue }
            return Found(text: text, origin: source.origin(key, nil))
        }
        return nil
    }

    func list(_ key: ConfigurationKey) throws(ConfigurationError) -> [Found]? {
        for source in self.sources {
            guard case .stringArray(let texts) = try self.content(key, type: .stringArray, in: source) else { continue }
            return texts.enumerated().map { Found(text: $1, origin: source.origin(key, $0)) }
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
            throw .badValue(key, origin: source.origin(key, nil), value: "\(error)")
        }
    }

    private static func provider(
        _ name: String, _ said: [ConfigurationKey: ConfigurationFile.Content]
    ) -> InMemoryProvider {
        let values = said.map { key, content in
            let content: ConfigContent =
                switch content {
                case .value(let text): .string(text)
                case .list(let texts): .stringArray(texts)
                }
            return (AbsoluteConfigKey(ConfigKey(key.rawValue)), ConfigValue(content, isSecret: false))
        }
        return InMemoryProvider(name: name, values: Dictionary(uniqueKeysWithValues: values))
    }

    private static func unknownNames(in environment: [String: String]) -> [ConfigurationError] {
        let known = ConfigurationKey.allCases.map(\.environmentName)
        return environment.keys.sorted().compactMap { name in
            guard
                name.hasPrefix(ConfigurationKey.environmentPrefix), !known.contains(name),
                !ConfigurationKey.isForeignEnvironmentName(name)
            else { return nil }
            return .unknownVariable(name, suggestion: EditDistance.closest(to: name, among: known, name: \.self))
        }
    }
}
