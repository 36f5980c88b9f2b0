/// Why a node cannot start as configured. Nothing was opened, bound or written.
package enum ConfigurationError: Error, Hashable, Sendable {
    /// The file is missing or is not YAML that the library reads.
    case unreadableFile(path: String, reason: String)
    case unknownKey(String, source: String, suggestion: String?)
    case badValue(ConfigurationKey, source: String, value: String)
    case missing(ConfigurationKey)
    /// Values that are right alone and wrong together.
    case contradiction(String)
}

extension ConfigurationError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .unreadableFile(let path, let reason):
            "\(path): cannot be read as configuration: \(reason)"
        case .unknownKey(let key, let source, let suggestion):
            "\(source): unknown key \(key)" + (suggestion.map { "; did you mean \($0)?" } ?? "")
        case .badValue(let key, let source, let value):
            "\(source): \(key.rawValue) is \"\(value)\", but must be \(key.expectation)"
        case .missing(let key):
            "\(key.rawValue) is not configured: set \(key.rawValue) in the file, "
                + "\(key.environmentName) or \(key.flag)"
        case .contradiction(let text):
            text
        }
    }
}
