import Foundation

enum Environment {
    /// How this shell's client commands get in; a node that is started here has files of its own for that.
    static let clientNames: Set<String> = [
        "HOLDFAST_TLS_CA", "HOLDFAST_TLS_CERT", "HOLDFAST_TLS_KEY", "HOLDFAST_TOKEN", "HOLDFAST_TOKEN_FILE",
    ]

    static var all: [String: String] { ProcessInfo.processInfo.environment }
}
