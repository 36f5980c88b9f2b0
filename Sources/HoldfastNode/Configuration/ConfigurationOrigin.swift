/// Who said a value.
package enum ConfigurationOrigin: Hashable, Sendable {
    case flag(String)
    /// A variable's name.
    case environment(String)
    /// Lines count from 1.
    case file(String, line: Int)
    /// Nobody: it is the default.
    case fallback

    /// In one word, for programs.
    package var word: String {
        switch self {
        case .flag: "flag"
        case .environment: "environment"
        case .file: "file"
        case .fallback: "default"
        }
    }
}

extension ConfigurationOrigin: CustomStringConvertible {
    package var description: String {
        switch self {
        case .flag(let name), .environment(let name): name
        case .file(let path, let line): "\(path):\(line)"
        case .fallback: "default"
        }
    }
}
