/// Why a node cannot start as configured. Nothing was opened, bound or written.
package enum ConfigurationError: Error, Hashable, Sendable {
    /// The file is missing, too large or no text.
    case unreadableFile(path: String, reason: String)
    /// The file is not YAML, from this line on.
    case malformedFile(path: String, line: Int, reason: String)
    case unknownKey(String, origin: ConfigurationOrigin, suggestion: ConfigurationKey?)
    case unknownVariable(String, suggestion: String?)
    /// One source says one key twice.
    case saidTwice(ConfigurationKey, origin: ConfigurationOrigin)
    /// A value stands where keys belong.
    case section(String, origin: ConfigurationOrigin)
    case noValue(ConfigurationKey, origin: ConfigurationOrigin)
    /// A list where one value belongs.
    case unexpectedList(ConfigurationKey, origin: ConfigurationOrigin)
    /// One value where a list belongs.
    case expectedList(ConfigurationKey, origin: ConfigurationOrigin)
    case badValue(ConfigurationKey, origin: ConfigurationOrigin, value: String)
    case missing(ConfigurationKey)
    /// The file that a key names is there in vain.
    case unusableFile(ConfigurationKey, origin: ConfigurationOrigin, reason: String)
    case contradiction(Contradiction)

    /// Values that are right alone and wrong together.
    package enum Contradiction: Hashable, Sendable {
        case nodeNotAmongPeers(node: UInt32, origin: ConfigurationOrigin)
        case peerTwice(node: UInt32, origin: ConfigurationOrigin)
        case addressTwice(String, origin: ConfigurationOrigin)
        case sameListener(String, client: ConfigurationOrigin, peer: ConfigurationOrigin)
        /// `other` is the key of the listener that is there, too.
        case sameAdminListener(String, origin: ConfigurationOrigin, other: ConfigurationKey)
        case listenerOfAnother(String, node: UInt32, origin: ConfigurationOrigin)
        case windowWithoutBatch(policy: String, origin: ConfigurationOrigin)
        /// Milliseconds.
        case electionTimeouts(min: UInt64, max: UInt64, heartbeat: UInt64)
        /// More of one remote address than of all together.
        case connectionsOfOneAddress(
            ConfigurationKey, Int, of: ConfigurationKey, max: Int, origin: ConfigurationOrigin)
        case exposed(
            ConfigurationKey, address: String, missing: [ConfigurationKey], origin: ConfigurationOrigin)
        case exposedAdmin(String, origin: ConfigurationOrigin)
        /// Some of TLS is said; this is missing.
        case incompleteTLS(ConfigurationKey, origin: ConfigurationOrigin)
    }
}

extension ConfigurationError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .unreadableFile(let path, let reason):
            "\(path): cannot be read as configuration: \(reason)"
        case .malformedFile(let path, let line, let reason):
            "\(path):\(line): is not YAML as it is understood here: \(reason)"
        case .unknownKey(let key, let origin, let suggestion):
            "\(origin): unknown key \(key)" + Self.words(suggestion?.rawValue)
        case .unknownVariable(let name, let suggestion):
            "environment: unknown variable \(name)" + Self.words(suggestion)
        case .saidTwice(let key, let origin):
            "\(origin): \(key.rawValue) was said before in this file"
        case .section(let name, let origin):
            "\(origin): \(name) has no value of its own, but keys: "
                + ConfigurationKey.keys(under: name).map(\.rawValue).joined(separator: ", ")
        case .noValue(let key, let origin):
            "\(origin): \(key.rawValue) has no value; it must be \(key.expectation)"
        case .unexpectedList(let key, let origin):
            "\(origin): \(key.rawValue) is a list, but must be one value: \(key.expectation)"
        case .expectedList(let key, let origin):
            "\(origin): \(key.rawValue) must be \(key.expectation)"
        case .badValue(let key, let origin, let value):
            "\(origin): \(key.rawValue) is \(Self.quoted(value)), but must be \(key.expectation)"
        case .missing(let key):
            "\(key.rawValue) is not configured: set \(key.rawValue) in the file, "
                + "\(key.environmentName) or \(key.flag)"
        case .unusableFile(let key, let origin, let reason):
            "\(origin): \(key.rawValue): \(reason)"
        case .contradiction(let contradiction):
            contradiction.description
        }
    }

    private static func words(_ suggestion: String?) -> String { suggestion.map { "; did you mean \($0)?" } ?? "" }

    /// On one line, and not longer than one.
    private static func quoted(_ value: String) -> String {
        (value.count > 80 ? value.prefix(80) + "..." : value).debugDescription
    }
}

extension ConfigurationError.Contradiction: CustomStringConvertible {
    package var description: String {
        switch self {
        case .nodeNotAmongPeers(let node, let origin):
            "\(origin): peers does not name this node: add an entry that begins with \(node)="
        case .peerTwice(let node, let origin):
            "\(origin): peers names node \(node) twice"
        case .addressTwice(let address, let origin):
            "\(origin): peers uses \(address) twice: every listener of every node needs its own address"
        case .sameListener(let address, let client, let peer):
            "\(client), \(peer): clients and peers cannot both be listened for on \(address)"
        case .sameAdminListener(let address, let origin, let other):
            "\(origin): listen.admin and \(other.rawValue) cannot both be \(address)"
        case .listenerOfAnother(let address, let node, let origin):
            "\(origin): \(address) belongs to node \(node), as peers says"
        case .windowWithoutBatch(let policy, let origin):
            "\(origin): fsync.window is set, but fsync.policy is \(policy), and only batch has a window"
        case .electionTimeouts(let min, let max, let heartbeat):
            "election.timeout.min (\(min) ms) must be at least three heartbeats "
                + "(\(heartbeat) ms each) and less than election.timeout.max (\(max) ms)"
        case .connectionsOfOneAddress(let one, let count, let all, let max, let origin):
            "\(origin): \(one.rawValue) (\(count)) must be at most \(all.rawValue) (\(max))"
        case .exposed(let key, let address, let missing, let origin):
            "\(origin): \(key.rawValue): \(address) can be reached from other machines, and there is no "
                + "\(missing.map(\.rawValue).joined(separator: " and no ")): set it, listen on a loopback address, or "
                + "accept that with listen.insecure: true (--insecure)"
        case .exposedAdmin(let address, let origin):
            "\(origin): listen.admin: \(address) can be reached from other machines, and the admin listener speaks no "
                + "TLS: listen on a loopback address, behind a proxy if need be, or accept that for this listener alone with "
                + "auth.tokens and admin.insecure: true (--admin-insecure)"
        case .incompleteTLS(let missing, let origin):
            "\(origin): TLS needs tls.certificate, tls.key and tls.ca, and \(missing.rawValue) is not said"
        }
    }
}
