import HoldfastClient
import LogModel

/// The families of `/metrics`. Labels have few values: a role, a member, a route of ours.
enum Exposition {
    private static let roles = ["forming", "follower", "preCandidate", "candidate", "leader", "stopped"]

    static func text(_ metrics: NodeMetrics, requests: [RequestTimes.Series: LatencyHistogram]) -> String {
        var writer = ExpositionWriter()
        self.consensus(metrics.status.cluster, to: &writer)
        self.peers(metrics.status.cluster, to: &writer)
        self.work(metrics, to: &writer)
        self.storage(metrics.status, to: &writer)
        writer.gauge("resident_memory_bytes", "Memory of the process that is in RAM.", metrics.residentBytes)
        writer.gauge("open_descriptors", "File descriptors that the process has open.", metrics.openDescriptors)
        let series = requests.sorted { $0.key < $1.key }.map { series, times in
            ([("route", series.route), ("status", series.statusClass)] as ExpositionWriter.Labels, times)
        }
        writer.histogram(
            "admin_request_duration_seconds", "Requests of the admin listener, to the beginning of their answer.",
            series)
        return writer.text
    }

    private static func consensus(_ cluster: ClusterStatus, to writer: inout ExpositionWriter) {
        writer.gauge(
            "role", "1 for the role that the node has, 0 for the others.",
            self.roles.map { ([("role", $0)], $0 == cluster.role ? "1" : "0") })
        writer.gauge("term", "The term that the node is in.", cluster.term)
        writer.gauge("leader_known", "Whether the node knows who leads.", cluster.leader == nil ? 0 : 1)
        writer.gauge("ready", "Whether the log can be used here.", cluster.isReady ? 1 : 0)
        writer.gauge("first_index", "The index of the first record that is kept.", cluster.firstIndex)
        writer.gauge("commit_index", "The index of the last record that is committed.", cluster.lastIndex)
        writer.gauge(
            "tail_index", "The index of the last record in this node's log, committed or not.", cluster.tailIndex)
    }

    private static func peers(_ cluster: ClusterStatus, to writer: inout ExpositionWriter) {
        func samples(_ value: (ClusterStatus.Node) -> String?) -> [(ExpositionWriter.Labels, String?)] {
            cluster.nodes.filter { $0.node != cluster.node }.map { ([("peer", "\($0.node)")], value($0)) }
        }
        writer.gauge(
            "peer_connected", "Whether there is a connection to the member.",
            samples { $0.isConnected.map { $0 ? "1" : "0" } })
        writer.gauge(
            "peer_lag_bytes", "Of the log, what the follower is not known to have on its disk; leaders know.",
            samples { $0.missingBytes.map { "\($0)" } })
        writer.gauge(
            "peer_lag_seconds", "For how long what the follower lacks has been in the log; leaders know.",
            samples { $0.lagSeconds.map { "\($0)" } })
        writer.counter(
            "shipped_bytes", "Of the log, shipped to the member.", samples { $0.shippedBytes.map { "\($0)" } })
        writer.counter(
            "shipped_wire_bytes", "In how many bytes that travelled.", samples { $0.wireBytes.map { "\($0)" } })
    }

    private static func work(_ metrics: NodeMetrics, to writer: inout ExpositionWriter) {
        let totals = metrics.status.totals
        writer.counter("appends", "Appends that this node has acknowledged as the leader.", totals.appends)
        writer.counter("appends_refused", "Appends that were refused or not acknowledged.", totals.appendsRefused)
        writer.counter("written_bytes", "Of the log, written to this node's segments.", totals.bytesWritten)
        writer.counter("rotations", "Segments that were begun after another was full.", totals.rotations)
        writer.counter("elections", "Elections that this node stood in.", totals.elections)
        writer.counter(
            "leader_changes", "Leaders that this node has heard of, each time that another one led.",
            totals.leaderChanges)
        writer.counter("ranges_shipped", "Ranges of the log that were shipped to followers.", totals.rangesShipped)
        writer.counter("ranges_received", "Ranges of the log that came from leaders.", totals.rangesReceived)
        writer.histogram(
            "append_duration_seconds", "Appends, from asking the leader to its acknowledgement.",
            [([], metrics.appendLatency)])
        writer.histogram("sync_duration_seconds", "Syncs of the log to the disk.", [([], metrics.syncLatency)])
    }

    private static func storage(_ status: NodeStatus, to writer: inout ExpositionWriter) {
        let health = status.cluster.health
        writer.gauge("segments", "Segments of the log.", status.disk.segments)
        writer.gauge("log_bytes", "Of the log, in this node's segments.", status.disk.logBytes)
        writer.gauge("disk_free_bytes", "What is free where the log is.", status.disk.freeBytes)
        writer.gauge("disk_size_bytes", "How large the file system is that the log is on.", status.disk.totalBytes)
        writer.gauge("disk_full", "Whether the next segment waits for room.", status.disk.isFull ? 1 : 0)
        writer.gauge(
            "may_vote", "Whether nothing damaged or lost keeps the node from voting.",
            (health?.mayVote).map { $0 ? 1 : 0 })
        writer.gauge(
            "damaged_segments", "Segments with damage that is not repaired yet.", health?.damagedSegments.count)
        writer.counter("damage_found", "Damaged ranges that were met.", health?.damageFound)
        writer.counter(
            "segments_repaired", "Segments that a good copy has taken the place of.", health?.segmentsRepaired)
        writer.counter("scrubbed_bytes", "Of sealed segments, reread to find rot.", health?.scrubbedBytes)
    }
}
