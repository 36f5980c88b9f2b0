import LogModel

/// Everything that a scrape tells of a node: counters that its loops keep as plain integers, read when somebody asks.
package struct NodeMetrics: Sendable {
    /// How long what takes.
    package struct Times: Sendable {
        package var appends = LatencyHistogram()
        package var commits = LatencyHistogram()
        package var syncs = LatencyHistogram()
        /// By follower.
        package var rounds: [UInt32: LatencyHistogram] = [:]
        /// What asks for a part of the program once a second waits so long for it, or has so far: all parts.
        package var waits: [NodePart: LatencyHistogram] = [:]

        package init() {}
    }

    /// What the system says of the process; `nil` where it does not tell.
    package struct Process: Sendable {
        package var residentBytes: UInt64?
        package var openDescriptors: Int?
        package var descriptorLimit: UInt64?
        /// The clock of this node, and what it said when the process started.
        package var time = Timestamp.zero
        package var started = Timestamp.zero

        package init() {}
    }

    package struct Listener: Sendable {
        /// `client`, `peer` or `admin`.
        package var name: String
        package var connectionCount: Int
        /// How often connections and streams ran into which bound: all bounds there are, also with 0, since what a scraper
        /// first sees above zero has not risen, as far as it knows.
        package var breaches: [String: UInt64]

        package init(name: String, connectionCount: Int, breaches: [String: UInt64]) {
            self.name = name
            self.connectionCount = connectionCount
            self.breaches = breaches
        }
    }

    package struct Refusal: Hashable, Comparable, Sendable {
        /// Of the answer.
        package var code: String
        /// `append` or `other`.
        package var request: String

        package init(code: String, request: String) {
            self.code = code
            self.request = request
        }

        package static func < (a: Self, b: Self) -> Bool { (a.code, a.request) < (b.code, b.request) }
    }

    package var status: NodeStatus
    package var times = Times()
    package var process = Process()
    package var listeners: [Listener] = []
    /// Requests of clients and of the admin listener that were refused: all that there may be, also with 0.
    package var refusals: [Refusal: UInt64] = [:]
    /// Spans that ended and were not written; `nil` for a node that keeps none.
    package var spansLost: UInt64?
    /// When the node's certificate ends, in seconds since 1970; `nil` without one.
    package var certificateEnd: Int64?

    package init(status: NodeStatus) { self.status = status }
}
