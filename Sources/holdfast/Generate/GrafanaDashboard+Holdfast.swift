/// What is worth seeing of a cluster, from what clients feel down to disks and processes.
extension GrafanaDashboard {
    static let holdfast = GrafanaDashboard(
        title: "Holdfast", uid: "holdfast",
        rows: [
            Row(title: "At a glance", panels: Self.glance), Row(title: "Appends", panels: Self.appends),
            Row(title: "Replication", panels: Self.replication), Row(title: "Disks", panels: Self.disks),
            Row(title: "Damage and repair", panels: Self.damage),
            Row(title: "Clients and processes", panels: Self.surroundings),
        ])

    private static let glance = [
        figure("Nodes that answer", "Of those that Prometheus scrapes.", #"sum(up{job="$job"})"#),
        figure("Leaders", "One, but for the moment of an election.", #"sum(holdfast_role{job="$job",role="leader"})"#),
        figure("Nodes that count", "Whose log and votes are whole.", #"sum(holdfast_may_vote{job="$job"})"#),
        figure("Damaged segments", "Not mended yet.", #"sum(holdfast_damaged_segments{job="$job"})"#),
        figure("Committed through", "The last record's index.", #"max(holdfast_commit_index{job="$job"})"#),
        figure(
            "Least disk left", "Of the node that has the least.",
            #"min(holdfast_disk_free_bytes{job="$job"} / holdfast_disk_size_bytes{job="$job"})"#, unit: "percentunit"),
    ]

    private static let appends = [
        Panel(
            title: "Appends", description: "Acknowledged and refused by the leader.", unit: "ops",
            queries: [
                (Self.rate("holdfast_appends_total"), "acknowledged"),
                (Self.rate("holdfast_appends_refused_total"), "refused"),
            ]),
        Panel(
            title: "Append latency", description: "From asking the leader to its acknowledgement.", unit: "s",
            queries: Self.quantiles(of: "holdfast_append_duration_seconds")),
        Panel(
            title: "Commit latency", description: "From standing in the leader's log until a quorum has it.", unit: "s",
            queries: Self.quantiles(of: "holdfast_commit_duration_seconds")),
        Panel(
            title: "Committed records", description: "As each node knows it.", unit: "ops",
            queries: [(#"deriv(holdfast_commit_index{job="$job"}[1m])"#, "{{instance}}")]),
        Panel(
            title: "Refusals", description: "Answers of the client listeners, by their code.", unit: "ops",
            queries: [(Self.rate("holdfast_requests_refused_total", by: "code"), "{{code}}")]),
    ]

    private static let replication = [
        Panel(
            title: "Lag", description: "For how long what a follower lacks has been in the log.", unit: "s",
            queries: [(#"max by (peer) (holdfast_peer_lag_seconds{job="$job"})"#, "node {{peer}}")]),
        Panel(
            title: "Missing bytes", description: "Of the log, not known to be on the follower's disk.", unit: "bytes",
            queries: [(#"max by (peer) (holdfast_peer_lag_bytes{job="$job"})"#, "node {{peer}}")]),
        Panel(
            title: "Rounds", description: "From shipping a range until it is on the follower's disk; 99 of 100.",
            unit: "s",
            queries: [(Self.quantile(0.99, of: "holdfast_replicate_duration_seconds", by: "peer"), "node {{peer}}")]),
        Panel(
            title: "Shipped", description: "Of the log, and in how many bytes it travelled.", unit: "Bps",
            queries: [
                (Self.rate("holdfast_shipped_bytes_total", by: "peer"), "log, node {{peer}}"),
                (Self.rate("holdfast_shipped_wire_bytes_total", by: "peer"), "wire, node {{peer}}"),
            ]),
        Panel(
            title: "Terms", description: "Each election has its own.", unit: "short",
            queries: [(#"holdfast_term{job="$job"}"#, "{{instance}}")]),
        Panel(
            title: "Elections", description: "That a node stood in, and leaders that it has heard of.", unit: "short",
            queries: [
                (#"sum by (instance) (increase(holdfast_elections_total{job="$job"}[5m]))"#, "stood, {{instance}}"),
                (
                    #"sum by (instance) (increase(holdfast_leader_changes_total{job="$job"}[5m]))"#,
                    "heard, {{instance}}"
                ),
            ]),
    ]

    private static let disks = [
        Panel(
            title: "Sync latency", description: "99 of 100 syncs are faster.", unit: "s",
            queries: [(Self.quantile(0.99, of: "holdfast_sync_duration_seconds", by: "instance"), "{{instance}}")]),
        Panel(
            title: "Syncs", description: "Many appends share one.", unit: "ops",
            queries: [(Self.rate("holdfast_sync_duration_seconds_count", by: "instance"), "{{instance}}")]),
        Panel(
            title: "Written", description: "Of the log, to each node's segments.", unit: "Bps",
            queries: [(Self.rate("holdfast_written_bytes_total", by: "instance"), "{{instance}}")]),
        Panel(
            title: "Free", description: "Where the log is.", unit: "bytes",
            queries: [(#"holdfast_disk_free_bytes{job="$job"}"#, "{{instance}}")]),
        Panel(
            title: "Log", description: "Its segments; they differ only while a follower lags.", unit: "bytes",
            queries: [(#"holdfast_log_bytes{job="$job"}"#, "{{instance}}")]),
        Panel(
            title: "Segments", description: "More of them after rotations, less after trims.", unit: "short",
            queries: [(#"holdfast_segments{job="$job"}"#, "{{instance}}")]),
    ]

    private static let damage = [
        Panel(
            title: "Damaged segments", description: "What is damaged in them is not served.", unit: "short",
            queries: [(#"holdfast_damaged_segments{job="$job"}"#, "{{instance}}")]),
        Panel(
            title: "Found and mended", description: "Within five minutes.", unit: "short",
            queries: [
                (#"sum by (instance) (increase(holdfast_damage_found_total{job="$job"}[5m]))"#, "found, {{instance}}"),
                (
                    #"sum by (instance) (increase(holdfast_segments_repaired_total{job="$job"}[5m]))"#,
                    "mended, {{instance}}"
                ),
            ]),
        Panel(
            title: "Reread", description: "Of sealed segments, in the background.", unit: "Bps",
            queries: [(Self.rate("holdfast_scrubbed_bytes_total", by: "instance"), "{{instance}}")]),
    ]

    private static let surroundings = [
        Panel(
            title: "Connections", description: "Open ones, of clients and of peers.", unit: "short",
            queries: [
                (#"sum by (instance, listener) (holdfast_connections{job="$job"})"#, "{{listener}}, {{instance}}")
            ]),
        Panel(
            title: "Breaches", description: "Connections and streams that ran into a bound.", unit: "ops",
            queries: [(Self.rate("holdfast_breaches_total", by: "listener, limit"), "{{listener}}: {{limit}}")]),
        Panel(
            title: "Memory", description: "In RAM, of which pages of segments may be the most.", unit: "bytes",
            queries: [(#"holdfast_resident_memory_bytes{job="$job"}"#, "{{instance}}")]),
        Panel(
            title: "Descriptors", description: "Open ones.", unit: "short",
            queries: [(#"holdfast_open_descriptors{job="$job"}"#, "{{instance}}")]),
        Panel(
            title: "Waits", description: "For the event loops and the disk's thread; 99 of 100.", unit: "s",
            queries: [
                (
                    Self.quantile(0.99, of: "holdfast_wait_duration_seconds", by: "instance, part"),
                    "{{part}}, {{instance}}"
                )
            ]),
        Panel(
            title: "Certificates", description: "How long they last.", unit: "s",
            queries: [(#"holdfast_certificate_end_time_seconds{job="$job"} - time()"#, "{{instance}}")]),
    ]

    private static func figure(
        _ title: String, _ description: String, _ expression: String, unit: String = "short"
    ) -> Panel {
        Panel(
            title: title, description: description, unit: unit, queries: [(expression, "")], isFigure: true)
    }

    private static func rate(_ name: String, by labels: String = "") -> String {
        "sum by (\(labels)) (rate(\(name){job=\"$job\"}[$__rate_interval]))"
    }

    private static func quantile(_ share: Double, of name: String, by labels: String) -> String {
        "histogram_quantile(\(share), sum by (\(labels), le) (rate(\(name)_bucket{job=\"$job\"}[$__rate_interval])))"
    }

    private static func quantiles(of name: String) -> [(expression: String, legend: String)] {
        [0.5, 0.99, 0.999].map { share in
            let rates = "sum by (le) (rate(\(name)_bucket{job=\"$job\"}[$__rate_interval]))"
            return ("histogram_quantile(\(share), \(rates))", "\((share * 1_000).rounded() / 10)%")
        }
    }
}
