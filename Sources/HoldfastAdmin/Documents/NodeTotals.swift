/// What a node has counted since its process started.
package struct NodeTotals: Codable, Hashable, Sendable {
    /// Acknowledged as the leader, and refused or not acknowledged.
    package var appends: UInt64 = 0
    package var appendsRefused: UInt64 = 0
    package var bytesWritten: UInt64 = 0
    package var syncs: UInt64 = 0
    package var rotations: UInt64 = 0
    package var elections: UInt64 = 0
    package var leaderChanges: UInt64 = 0
    /// Of the log, to all followers, and in how many bytes it travelled.
    package var rangesShipped: UInt64 = 0
    package var shippedBytes: UInt64 = 0
    package var wireBytes: UInt64 = 0
    package var rangesReceived: UInt64 = 0

    package init() {}

    private enum CodingKeys: String, CodingKey {
        case appends, syncs, rotations, elections
        case appendsRefused = "appends_refused"
        case bytesWritten = "bytes_written"
        case leaderChanges = "leader_changes"
        case rangesShipped = "ranges_shipped"
        case shippedBytes = "shipped_bytes"
        case wireBytes = "wire_bytes"
        case rangesReceived = "ranges_received"
    }
}
