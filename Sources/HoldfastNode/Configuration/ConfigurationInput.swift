/// Where a node's configuration comes from; read again, it may say something else.
package struct ConfigurationInput: Sendable {
    package var file: String?
    package var environment: [String: String]
    package var flags: [ConfigurationKey: [String]]

    package init(
        file: String? = nil, environment: [String: String] = [:], flags: [ConfigurationKey: [String]] = [:]
    ) {
        self.file = file
        self.environment = environment
        self.flags = flags
    }
}
