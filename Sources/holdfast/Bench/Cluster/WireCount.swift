import HoldfastClient

/// How much of the log a leader has sent to its followers so far, by its own count.
struct WireCount: Sendable {
    private struct Sent {
        /// Bytes of the log.
        var shipped: UInt64
        /// Bytes that travelled for them.
        var wire: UInt64
    }

    private var followers: [UInt32: Sent]
    private var at = ContinuousClock.now

    /// - Parameter leader: Asked once.
    init(of leader: ServerAddress, _ client: HoldfastClient) async throws(CommandFailure) {
        let status: ClusterStatus
        do throws(ClientError) { status = try await client.status(of: leader) } catch { throw CommandFailure(error) }
        self.followers = Dictionary(
            uniqueKeysWithValues: status.nodes.compactMap { node -> (UInt32, Sent)? in
                guard let shipped = node.shippedBytes, let wire = node.wireBytes else { return nil }
                return (node.node, Sent(shipped: shipped, wire: wire))
            })
    }

    /// Bytes per second, as they travelled, from an earlier count to this one.
    ///
    /// - Parameter follower: Only what went there; by default what went to any.
    func bytesPerSecond(since earlier: WireCount, to follower: UInt32? = nil) -> Double {
        Double(self.sent(since: earlier, to: follower).wire) / earlier.at.duration(to: self.at).seconds
    }

    /// Bytes that travelled for each byte of the log, from an earlier count to this one; `nil` when nothing was sent.
    ///
    /// - Parameter follower: Only what went there; by default what went to any.
    func share(since earlier: WireCount, to follower: UInt32? = nil) -> Double? {
        let sent = self.sent(since: earlier, to: follower)
        return sent.shipped > 0 ? Double(sent.wire) / Double(sent.shipped) : nil
    }

    private func sent(since earlier: WireCount, to follower: UInt32?) -> Sent {
        self.followers.reduce(into: Sent(shipped: 0, wire: 0)) { sum, entry in
            guard follower == nil || entry.key == follower else { return }
            // A count below the earlier one began anew.
            let before = earlier.followers[entry.key].flatMap { $0.shipped <= entry.value.shipped ? $0 : nil }
            sum.shipped += entry.value.shipped - (before?.shipped ?? 0)
            sum.wire += entry.value.wire - (before?.wire ?? 0)
        }
    }
}
