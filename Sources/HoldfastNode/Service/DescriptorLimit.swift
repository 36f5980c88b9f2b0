import Glibc
import HoldfastAdmin
import Logging

/// How many files and sockets this process may have open (getrlimit(2)).
///
/// Shells give 1,024 and allow far more. Connections alone could use those up, and then the log finds no descriptor for its
/// next segment: a crowd of clients would stop the node.
package enum DescriptorLimit {
    /// What a node has open beside the connections that it is told to hold: 128 peers at their bound, and 640 for the log
    /// and for readers.
    private static let besideConnections = 768

    /// What a node may need.
    package static func needed(for clients: ClientConnections, admin: ConnectionBounds = ConnectionBounds()) -> Int {
        clients.max + admin.connectionsMax + Self.besideConnections
    }

    /// Raises the soft limit to `needed`, or as far as the hard one allows; never lowers it.
    ///
    /// - Returns: What holds now; 0 when the system does not say.
    @discardableResult
    package static func raise(to needed: Int) -> Int {
        guard var limit = Self.current else { return 0 }
        let needed = rlim_t(needed)
        guard limit.rlim_cur < needed else { return Int(clamping: limit.rlim_cur) }
        var raised = limit
        raised.rlim_cur = min(needed, limit.rlim_max)
        if setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &raised) == 0 { limit = raised }
        return Int(clamping: limit.rlim_cur)
    }

    /// Raises it as far as a node needs and may; says so when that is not enough.
    static func raise(for clients: ClientConnections, admin: ConnectionBounds, logger: Logger) {
        let limit = Self.raise(to: Self.needed(for: clients, admin: admin))
        guard let shortage = Self.shortage(of: limit, for: clients, admin: admin) else { return }
        let keys = "client.connections.max and admin.connections.max"
        logger.warning(
            "few files may be open",
            metadata: shortage.merging(
                ["hint": "raise the limit (ulimit -Hn, LimitNOFILE= in the unit), or lower \(keys)"]
            ) { $1 })
    }

    /// - Returns: What is to be said of a limit that is too low; `nil` when it is not.
    static func shortage(
        of limit: Int, for clients: ClientConnections, admin: ConnectionBounds = ConnectionBounds()
    ) -> Logger.Metadata? {
        let needed = Self.needed(for: clients, admin: admin)
        guard limit < needed else { return nil }
        return ["max": "\(limit)", "reason": "\(needed) may be needed, \(clients.max) of them for clients"]
    }

    /// `nil` when the system does not say.
    static var current: rlimit? {
        var limit = rlimit()
        return getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 ? limit : nil
    }
}
