/// What goes wrong with clusters. Thresholds are far from what a healthy one does, so that an alert means work.
extension AlertRule {
    /// Whether clients are served.
    static func serving(job: String) -> [AlertRule] {
        [
            AlertRule(
                name: "HoldfastNoLeader", severity: .critical,
                // Also when no node answers; but not when others know the leader, and only Prometheus does not reach it.
                expression: """
                    (max by (job) (holdfast_role{role="leader"}) or 0 * max by (job) (up{job="\(job)"})) == 0 \
                    unless max by (job) (holdfast_leader_known) == 1
                    """,
                holds: "1m",
                summary: "No node of {{ $labels.job }} leads: nothing is appended.",
                action: "holdfast explain says whom the others wait for; bring back nodes until a majority is there.",
                section: "The majority is away"),
            AlertRule(
                name: "HoldfastQuorumLost", severity: .critical,
                expression: "max by (job) (2 * holdfast_voters_reached - holdfast_voters) <= 0", holds: "1m",
                summary: "No node of {{ $labels.job }} reaches a majority: nothing is acknowledged.",
                action: "Start the missing nodes, or mend the network between them. Nothing acknowledged is lost.",
                section: "The majority is away"),
            AlertRule(
                name: "HoldfastLeaderFlaps", severity: .warning,
                expression: "max by (job) (increase(holdfast_leader_changes_total[15m])) > 5", holds: "0s",
                summary: "Leaders of {{ $labels.job }} follow each other: {{ $value | humanize }} in 15 minutes.",
                action:
                    "Look for nodes that restart, syncs that take long, and a network that loses; holdfast status --watch.",
                section: "Leaders follow each other"),
            AlertRule(
                name: "HoldfastAppendsRefused", severity: .warning,
                expression: """
                    sum by (job) (rate(holdfast_appends_refused_total[5m])) > 0.05 * (sum by (job) \
                    (rate(holdfast_appends_total[5m])) + sum by (job) (rate(holdfast_appends_refused_total[5m])))
                    """,
                holds: "5m", summary: "More than a twentieth of the appends to {{ $labels.job }} are refused.",
                action: "holdfast_requests_refused_total names the codes; each answer has a hint.",
                section: "What a node says"),
            AlertRule(
                name: "HoldfastAppendsSlow", severity: .warning,
                expression: """
                    histogram_quantile(0.99, sum by (job, le) (rate(holdfast_append_duration_seconds_bucket[5m]))) > 1
                    """,
                holds: "10m",
                summary: "One in a hundred appends to {{ $labels.job }} takes {{ $value | humanizeDuration }}.",
                action: "Compare syncs and rounds of the nodes: the second fastest disk of three is waited for.",
                section: "How large"),
            AlertRule(
                name: "HoldfastAppendsTimeOut", severity: .warning,
                // They are no appends that took long: nobody knows yet how long they take. A leader without a majority stops
                // leading, and then says LEADERSHIP_LOST of what waits; one failover does, too, and has left the rate
                // before this has held for so long. Where hardly anything is appended a few of them are a large part,
                // and no reason to call anybody.
                expression: """
                    sum by (job) \
                    (rate(holdfast_requests_refused_total{request="append",code=~"\(Self.inVain)"}[5m])) > 0.01 * \
                    (sum by (job) (rate(holdfast_appends_total[5m])) + sum by (job) \
                    (rate(holdfast_requests_refused_total{request="append",code=~"\(Self.inVain)"}[5m]))) > 0.02
                    """,
                holds: "10m",
                summary: "Appends to {{ $labels.job }} wait for a majority in vain: {{ $value | humanize }} a second.",
                action:
                    "holdfast explain says which nodes are away or behind; when none is, compare how long their syncs take.",
                section: "The majority does not answer in time"),
        ]
    }

    /// What waited for a majority and was not answered in time.
    private static let inVain = "COMMIT_TIMEOUT|LEADERSHIP_LOST|QUORUM_UNAVAILABLE"

    /// Whether every node holds a good copy of the log.
    static func copies(job: String) -> [AlertRule] {
        [
            AlertRule(
                name: "HoldfastNodeDown", severity: .warning, expression: #"up{job="\#(job)"} == 0"#, holds: "1m",
                summary: "{{ $labels.instance }} does not answer: {{ $labels.job }} bears one fault less.",
                action: "Look at its journal, start it; holdfast member replace when its disk is gone.",
                section: "A node has lost its disk"),
            AlertRule(
                name: "HoldfastRestarts", severity: .warning,
                expression: "changes(holdfast_start_time_seconds[15m]) > 2", holds: "0s",
                summary: "{{ $labels.instance }} has started {{ $value }} times in 15 minutes.",
                action: "Its journal says why it stopped; exit codes 65 and 78 are not mended by a restart.",
                section: "Under systemd"),
            AlertRule(
                name: "HoldfastPeerUnreachable", severity: .warning, expression: "holdfast_peer_connected == 0",
                holds: "2m",
                summary: "{{ $labels.instance }} has no connection to node {{ $labels.peer }}.",
                action:
                    "See that the node runs, that the peer port is open both ways, and that its certificate is good.",
                section: "The majority is away"),
            AlertRule(
                name: "HoldfastFollowerLags", severity: .warning, expression: "holdfast_peer_lag_seconds > 30",
                holds: "2m", summary: "Node {{ $labels.peer }} is {{ $value | humanizeDuration }} behind the leader.",
                action:
                    "holdfast explain lag {{ $labels.peer }} says whether it is its disk, its network, or a log that it has to fetch.",
                section: "A follower lags"),
            AlertRule(
                name: "HoldfastMayNotVote", severity: .warning, expression: "holdfast_may_vote == 0", holds: "5m",
                summary: "{{ $labels.instance }} runs and does not count: its log or its votes are not whole.",
                action: "holdfast explain names the reason and the command; an empty directory needs member replace.",
                section: "A node has lost its disk"),
            AlertRule(
                name: "HoldfastDamage", severity: .critical, expression: "holdfast_damaged_segments > 0", holds: "5m",
                summary:
                    "{{ $labels.instance }} has {{ $value }} damaged segments, and no peer's copy has mended them.",
                action:
                    "Keep the other nodes running: holdfast verify DIR and holdfast repair DIR --plan say what is left.",
                section: "A disk has rotted"),
            AlertRule(
                name: "HoldfastDamageFound", severity: .warning,
                // What a start finds is in the counter from the first scrape on, and has not risen for Prometheus.
                expression: """
                    increase(holdfast_damage_found_total[1h]) > 0 or \
                    (holdfast_damage_found_total > 0 and time() - holdfast_start_time_seconds < 3600)
                    """,
                holds: "0s",
                summary: "{{ $labels.instance }} has met damage on its disk within the last hour.",
                action:
                    "The range is fetched from a peer by itself; look at the disk (smartctl, dmesg), and replace it.",
                section: "A disk has rotted"),
        ]
    }

    static let disk: [AlertRule] = [
        AlertRule(
            name: "HoldfastDiskFull", severity: .critical, expression: "holdfast_disk_full == 1", holds: "0s",
            summary: "{{ $labels.instance }} has no room for more of its log.",
            action:
                "holdfast trim --before INDEX, or more room; holdfast transfer-leader when it is the leader's disk alone.",
            section: "A disk is full"),
        AlertRule(
            name: "HoldfastDiskNearlyFull", severity: .warning,
            expression: "holdfast_disk_free_bytes / holdfast_disk_size_bytes < 0.1", holds: "5m",
            summary: "{{ $labels.instance }} has {{ $value | humanizePercentage }} of its disk left.",
            action: "Trim what no reader needs any more, after a backup: nothing goes by itself.",
            section: "A disk is full"),
        AlertRule(
            name: "HoldfastDiskFillsUp", severity: .warning,
            // Six hours tell a trend from what comes and goes, the last one whether it goes on: after a bulk import the
            // first falls for hours, and the second does not.
            expression: """
                predict_linear(holdfast_disk_free_bytes[6h], 86400) < 0 and \
                predict_linear(holdfast_disk_free_bytes[1h], 86400) < 0
                """,
            holds: "3h", summary: "The disk of {{ $labels.instance }} is full within a day, as it goes now.",
            action: "Trim what no reader needs any more, after a backup: nothing goes by itself.",
            section: "A disk is full"),
        AlertRule(
            name: "HoldfastSyncsSlow", severity: .warning,
            expression: """
                histogram_quantile(0.99, sum by (job, instance, le) \
                (rate(holdfast_sync_duration_seconds_bucket[5m]))) > 0.1
                """,
            holds: "10m",
            summary: "One in a hundred syncs of {{ $labels.instance }} takes {{ $value | humanizeDuration }}.",
            action: "holdfast bench disk shows what the disk gives; move what else writes to it elsewhere.",
            section: "How large"),
    ]

    /// What is around a node: clock, certificate, clients, the process.
    static let surroundings: [AlertRule] = [
        AlertRule(
            name: "HoldfastCertificateEnds", severity: .warning,
            expression: "holdfast_certificate_end_time_seconds - time() < 14 * 86400", holds: "1h",
            summary: "The certificate of {{ $labels.instance }} ends in {{ $value | humanizeDuration }}.",
            action:
                "holdfast certs node --force, or your own PKI; put the files in place, and they are taken by themselves.",
            section: "A certificate ends"),
        AlertRule(
            name: "HoldfastCertificateEndsSoon", severity: .critical,
            expression: "holdfast_certificate_end_time_seconds - time() < 2 * 86400", holds: "5m",
            summary:
                "The certificate of {{ $labels.instance }} ends in {{ $value | humanizeDuration }}: then no peer takes it.",
            action:
                "holdfast certs node --force, or your own PKI; put the files in place, and they are taken by themselves.",
            section: "A certificate ends"),
        AlertRule(
            name: "HoldfastClockOff", severity: .warning,
            expression: "abs(holdfast_time_seconds - timestamp(holdfast_time_seconds)) > 10", holds: "5m",
            summary: "The clock of {{ $labels.instance }} is {{ $value | humanizeDuration }} off.",
            action: "Mend its time synchronization: records bear the leader's time. No safety depends on it.",
            section: "A clock is off"),
        AlertRule(
            name: "HoldfastBreaches", severity: .warning,
            expression: "sum by (job, instance, listener, limit) (increase(holdfast_breaches_total[5m])) > 100",
            holds: "0s",
            summary:
                "{{ $labels.instance }} cuts off clients: {{ $labels.limit }}, {{ $value | humanize }} in 5 minutes.",
            action: "The journal names the addresses, and the article Hardening the bound; close the port to them.",
            section: "What a node says"),
        AlertRule(
            name: "HoldfastStalls", severity: .warning,
            expression: """
                histogram_quantile(0.9, sum by (job, instance, part, le) \
                (rate(holdfast_wait_duration_seconds_bucket[5m]))) > 0.25
                """,
            holds: "5m",
            summary:
                "The {{ $labels.part }} of {{ $labels.instance }} let others wait {{ $value | humanizeDuration }}.",
            action: "The machine has too few processors, swaps, or its disk hangs; elections follow from that.",
            section: "How large"),
        AlertRule(
            name: "HoldfastHangs", severity: .critical,
            // A part that does not answer is told of once a second: more than a few of these waits are one that lasts. That is
            // the disk's thread only: an event loop that hangs answers no scrape either, and is HoldfastNodeDown.
            expression: """
                sum by (job, instance, part) (increase(holdfast_wait_duration_seconds_count[2m])) - sum by (job, \
                instance, part) (increase(holdfast_wait_duration_seconds_bucket{le="10.0"}[2m])) > 5
                """,
            holds: "0s", summary: "The {{ $labels.part }} of {{ $labels.instance }} does not answer.",
            action: "dmesg and iostat -x on its machine say whether the disk hangs; kill -9 lets the others go on.",
            section: "A disk hangs"),
        AlertRule(
            name: "HoldfastDescriptorsShort", severity: .warning,
            expression: "holdfast_open_descriptors / holdfast_descriptor_limit > 0.8", holds: "5m",
            summary: "{{ $labels.instance }} has {{ $value | humanizePercentage }} of its descriptors open.",
            action: "Raise LimitNOFILE, or let clients share connections.", section: "How large"),
    ]
}
