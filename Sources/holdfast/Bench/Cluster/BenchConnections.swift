import HoldfastNode

/// The connections of a load: what the nodes of an own cluster have to be told, and what the system has to allow.
struct BenchConnections {
    /// From one address to one node.
    var count: Int

    /// What else connects from there: probes, watchers, nodes that forward.
    private static let others = 32

    /// What a node must hold.
    private var clients: ClientConnections {
        ClientConnections(max: self.count + Self.others, perAddressMax: self.count + Self.others)
    }

    /// Whether a node holds them as it comes.
    private var areFew: Bool { self.clients.perAddressMax <= ClientConnections().perAddressMax }

    /// YAML for each node; empty where the defaults are enough.
    var settings: String {
        guard !self.areFew else { return "" }
        let (all, one) = (ConfigurationKey.clientConnectionsMax, ConfigurationKey.clientConnectionsPerAddressMax)
        let held = max(self.clients.max, ClientConnections().max)
        return "\(all.rawValue): \(held)\n\(one.rawValue): \(self.clients.perAddressMax)\n"
    }

    /// Raises the limit of open files of this process, which nodes that it starts inherit.
    ///
    /// - Throws: When the system does not allow what is needed; nothing was started then.
    func raiseDescriptorLimit() throws(CommandFailure) {
        guard !self.areFew else { return }
        let needed = DescriptorLimit.needed(for: self.clients)
        let limit = DescriptorLimit.raise(to: needed)
        guard limit < needed else { return }
        throw CommandFailure(
            .system,
            "\(self.count.counted("connection")) may need \(needed) open files, and the system allows \(limit)",
            next: "raise the limit (ulimit -Hn), or let callers share connections (--connections)")
    }
}
