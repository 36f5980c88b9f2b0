import HoldfastClient

/// What a node knows of itself: the answer of `GET /admin/v1/status`.
package struct NodeStatus: Codable, Hashable, Sendable {
    package struct Listeners: Codable, Hashable, Sendable {
        /// `host:port` of each.
        package var client: String
        package var peer: String
        package var admin: String

        package init(client: String, peer: String, admin: String) {
            self.client = client
            self.peer = peer
            self.admin = admin
        }
    }

    package struct Disk: Codable, Hashable, Sendable {
        /// Of the log's segments.
        package var logBytes: UInt64
        package var segments: Int
        /// Of the file system that they are on; `nil` when it does not say.
        package var freeBytes: UInt64?
        package var totalBytes: UInt64?
        /// How old that is: it is asked about once a second, and a file system that hangs answers no more. `nil` before it
        /// was asked, and from nodes that do not tell.
        package var spaceAgeSeconds: Double?
        /// A write, or the next segment, waits for room: appends are refused, at the latest when the active segment is full.
        package var isFull: Bool

        package init(
            logBytes: UInt64, segments: Int, freeBytes: UInt64?, totalBytes: UInt64?, spaceAgeSeconds: Double? = nil,
            isFull: Bool
        ) {
            self.logBytes = logBytes
            self.segments = segments
            self.freeBytes = freeBytes
            self.totalBytes = totalBytes
            self.spaceAgeSeconds = spaceAgeSeconds
            self.isFull = isFull
        }

        private enum CodingKeys: String, CodingKey {
            case logBytes = "log_bytes"
            case segments
            case freeBytes = "free_bytes"
            case totalBytes = "total_bytes"
            case spaceAgeSeconds = "space_age_seconds"
            case isFull = "full"
        }
    }

    package var node: UInt32
    /// When this was said, and when the process started: RFC 3339.
    package var time: String
    package var started: String
    package var listeners: Listeners
    /// When an append counts as kept: `always`, `batch` or `os`.
    package var policy: String
    /// Told to stop, and on its way.
    package var isDraining: Bool
    /// What `GET /v1/cluster` answers here.
    package var cluster: ClusterStatus
    /// The damaged segment that a good copy is on its way for.
    package var repairing: UInt32?
    package var disk: Disk
    package var totals: NodeTotals
    package var recent: RecentActivity
    /// The number of the newest event.
    package var lastEvent: UInt64
    /// Those that were asked for, oldest first.
    package var events: [EventDocument]?

    package init(
        node: UInt32, time: String, started: String, listeners: Listeners, policy: String, isDraining: Bool,
        cluster: ClusterStatus, repairing: UInt32?, disk: Disk, totals: NodeTotals, recent: RecentActivity,
        lastEvent: UInt64, events: [EventDocument]? = nil
    ) {
        self.node = node
        self.time = time
        self.started = started
        self.listeners = listeners
        self.policy = policy
        self.isDraining = isDraining
        self.cluster = cluster
        self.repairing = repairing
        self.disk = disk
        self.totals = totals
        self.recent = recent
        self.lastEvent = lastEvent
        self.events = events
    }

    private enum CodingKeys: String, CodingKey {
        case node, time, started, listeners, policy, cluster, repairing, disk, totals, recent, events
        case isDraining = "draining"
        case lastEvent = "last_event"
    }
}
