import HoldfastClient

/// How much of the log a leader has sent to its followers so far, by its own count.
struct WireCount: Sendable {
    private var byteCounts: [UInt32: UInt64]
    private var at = ContinuousClock.now

    /// - Parameter leader: Asked once.
    init(of leader: ServerAddress, _ client: HoldfastClient) async throws(CommandFailure) {
        let status: ClusterStatus
        do throws(ClientError) { status = try await client.status(of: leader) } catch { throw CommandFailure(error) }
        self.byteCounts = Dictionary(
            uniqueKeysWithValues: status.nodes.compactMap { node in node.wireBytes.map { (node.node, $0) } })
    }

    /// Bytes per second, as they travelled, from an earlier count to this one.
    ///
    /// - Parameter follower: Only what went there; by default what went to any.
    func bytesPerSecond(since earlier: WireCount, to follower: UInt32? = nil) -> Double {
        let sent = self.byteCounts.filter { follower == nil || $0.key == follower }.reduce(0.0) { sum, entry in
            // A count below the earlier one began anew.
            let before = earlier.byteCounts[entry.key].map { $0 <= entry.value ? $0 : 0 } ?? 0
            return sum + Double(entry.value - before)
        }
        return sent / earlier.at.duration(to: self.at).seconds
    }
}
