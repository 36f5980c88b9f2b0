import LogModel

/// Everything that a scrape tells of a node: counters that its loops keep as plain integers, read when somebody asks.
package struct NodeMetrics: Sendable {
    package var status: NodeStatus
    package var appendLatency: LatencyHistogram
    package var syncLatency: LatencyHistogram
    /// `nil` where the system does not tell.
    package var residentBytes: UInt64?
    package var openDescriptors: Int?

    package init(
        status: NodeStatus, appendLatency: LatencyHistogram, syncLatency: LatencyHistogram, residentBytes: UInt64?,
        openDescriptors: Int?
    ) {
        self.status = status
        self.appendLatency = appendLatency
        self.syncLatency = syncLatency
        self.residentBytes = residentBytes
        self.openDescriptors = openDescriptors
    }
}
