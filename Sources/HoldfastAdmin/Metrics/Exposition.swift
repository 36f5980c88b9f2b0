import HoldfastClient
import LogModel

/// The families of `/metrics`. Labels have few values: a role, a member, a route of ours.
enum Exposition {
    private static let roles = ["forming", "follower", "preCandidate", "candidate", "leader", "stopped"]

    static func text(
        _ metrics: NodeMetrics, requests: [RequestTimes.Series: LatencyHistogram],
        as format: ExpositionFormat = .prometheus
    ) -> String {
        var writer = ExpositionWriter(format)
        self.consensus(metrics.status.cluster, to: &writer)
        self.peers(metrics.status.cluster, to: &writer)
        self.work(metrics.status.totals, to: &writer)
        self.times(metrics.times, to: &writer)
        self.storage(metrics.status, to: &writer)
        self.strangers(metrics, to: &writer)
        self.process(metrics.process, to: &writer)
        let series = requests.sorted { $0.key < $1.key }.map { series, times in
            ([("route", series.route), ("status", series.statusClass)] as ExpositionWriter.Labels, times)
        }
        writer.histogram(
            "admin_request_duration_seconds", "Requests of the admin listener, to the beginning of their answer.",
            series)
        return writer.finished
    }

    private static func consensus(_ cluster: ClusterStatus, to writer: inout ExpositionWriter) {
        writer.gauge(
            "role", "1 for the role that the node has, 0 for the others.",
            self.roles.map { ([("role", $0)], $0 == cluster.role ? "1" : "0") })
        writer.gauge("term", "The term that the node is in.", cluster.term)
        let voters = cluster.nodes.filter { $0.membership == .voter || $0.membership == .joining }
        writer.gauge("voters", "Members that vote.", cluster.cluster.map { _ in voters.count })
        writer.gauge(
            "voters_reached", "Members that vote and that the node has a connection to, itself among them.",
            cluster.cluster.map { _ in voters.count { $0.node == cluster.node || $0.isConnected == true } })
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

    private static func work(_ totals: NodeTotals, to writer: inout ExpositionWriter) {
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
    }

    private static func times(_ times: NodeMetrics.Times, to writer: inout ExpositionWriter) {
        writer.histogram(
            "append_duration_seconds", "Appends, from asking the leader to its acknowledgement.",
            [([], times.appends)])
        writer.histogram(
            "commit_duration_seconds", "From standing in the leader's log to its commit; one round at a time is timed.",
            [([], times.commits)])
        writer.histogram(
            "replicate_duration_seconds",
            "From shipping a range to the follower's word that it is on its disk; one at a time is timed.",
            times.rounds.sorted { $0.key < $1.key }.map { ([("peer", "\($0)")], $1) })
        writer.histogram("sync_duration_seconds", "Syncs of the log to the disk.", [([], times.syncs)])
        writer.histogram(
            "wait_duration_seconds",
            "What comes to a part of the program waits so long for it, or has so far; asked once a second.",
            times.waits.sorted { $0.key.rawValue < $1.key.rawValue }.map { ([("part", $0.rawValue)], $1) })
    }

    private static func strangers(_ metrics: NodeMetrics, to writer: inout ExpositionWriter) {
        writer.counter(
            "requests_refused",
            "Requests that the client or the admin listener refused, by the code of the answer, appends and others.",
            metrics.refusals.sorted { $0.key < $1.key }.map {
                ([("code", $0.code), ("request", $0.request)], "\($1)")
            })
        writer.gauge(
            "connections", "Open connections of a listener.",
            metrics.listeners.map { ([("listener", $0.name)], "\($0.connectionCount)") })
        writer.counter(
            "breaches", "Connections and streams that ran into a bound, by listener and bound.",
            metrics.listeners.flatMap { listener in
                listener.breaches.sorted { $0.key < $1.key }.map {
                    ([("listener", listener.name), ("limit", $0)], "\($1)")
                }
            })
        writer.gauge(
            "certificate_end_time_seconds", "When the node's certificate ends, in seconds since 1970.",
            metrics.certificateEnd)
        writer.counter(
            "spans_lost", "Spans that ended and were not written: trace.output was too slow, or failed.",
            metrics.spansLost)
    }

    private static func process(_ process: NodeMetrics.Process, to writer: inout ExpositionWriter) {
        writer.gauge("resident_memory_bytes", "Memory of the process that is in RAM.", process.residentBytes)
        writer.gauge("open_descriptors", "File descriptors that the process has open.", process.openDescriptors)
        writer.gauge("descriptor_limit", "File descriptors that the process may have open.", process.descriptorLimit)
        writer.gauge(
            "time_seconds", "The node's clock, in seconds since 1970.",
            [([], ExpositionWriter.seconds(process.time.nanoseconds))])
        writer.gauge(
            "start_time_seconds", "When the process started, in seconds since 1970.",
            [([], ExpositionWriter.seconds(process.started.nanoseconds))])
    }

    private static func storage(_ status: NodeStatus, to writer: inout ExpositionWriter) {
        let health = status.cluster.health
        writer.gauge("segments", "Segments of the log.", status.disk.segments)
        writer.gauge("log_bytes", "Of the log, in this node's segments.", status.disk.logBytes)
        writer.gauge("disk_free_bytes", "What is free where the log is.", status.disk.freeBytes)
        writer.gauge("disk_size_bytes", "How large the file system is that the log is on.", status.disk.totalBytes)
        writer.gauge(
            "disk_space_age_seconds", "How long ago the file system said what is free.",
            [([], status.disk.spaceAgeSeconds.map { "\($0)" })])
        writer.gauge("disk_full", "Whether a write, or the next segment, waits for room.", status.disk.isFull ? 1 : 0)
        writer.gauge(
            "may_vote", "Whether nothing damaged or lost keeps the node from voting.",
            (health?.mayVote).map { $0 ? 1 : 0 })
        writer.gauge(
            "damaged_segments", "Segments with damage that is not repaired yet.", health?.damagedSegments.count)
        writer.counter("damage_found", "Damaged ranges that were met.", health?.damageFound)
        writer.counter(
            "segments_repaired", "Segments that a good copy has taken the place of.", health?.segmentsRepaired)
        writer.counter("scrub_passes", "Passes over all sealed segments.", health?.scrubPasses)
        writer.counter("scrubbed_bytes", "Of sealed segments, reread to find rot.", health?.scrubbedBytes)
    }
}
