/// All that is wrong with a configuration; never empty.
package struct ConfigurationProblems: Error, Hashable, Sendable, CustomStringConvertible {
    package var all: [ConfigurationError]

    package init(all: [ConfigurationError]) { self.all = all }

    /// One a line.
    package var description: String { self.all.map(\.description).joined(separator: "\n") }
}

/// What the sources say together: each key's value and who said it, all that is wrong, and what is legal but unwise.
package struct ConfigurationReport: Sendable {
    /// What holds for one key.
    package struct Effective: Hashable, Sendable {
        package var key: ConfigurationKey
        /// As the environment would say it.
        package var text: String
        package var origin: ConfigurationOrigin
    }

    /// `nil` when something is wrong.
    package let configuration: NodeConfiguration?
    package internal(set) var problems: [ConfigurationError]
    package internal(set) var warnings: [ConfigurationWarning]
    /// Of all keys that have one, in the registry's order; wrong values are among the problems instead.
    package let values: [Effective]

    /// Opens nothing but the file; ``lookingIntoFiles(now:)`` does.
    package init(_ input: ConfigurationInput) {
        var reading = ConfigurationReading(ConfigurationSources(input))
        self.configuration = NodeConfiguration(&reading)
        self.problems = reading.problems
        self.warnings = self.configuration.map { ConfigurationWarning.all(of: $0) } ?? []
        self.values = ConfigurationKey.allCases.compactMap { key in
            reading.values[key].map { Effective(key: key, text: $0.text, origin: $0.origin) }
        }
    }
}
