import HTTPTypes
import HoldfastClient
import LogModel

/// What the admin listener needs of the node that it speaks for: the running node, or a stand-in of the tests.
package protocol AdminNode: Sendable {
    var number: UInt32 { get }

    /// What the node knows of itself now; with `eventsAfter`, also its events behind that number.
    func status(eventsAfter: UInt64?) async -> NodeStatus

    /// What a scrape tells.
    func metrics() async -> NodeMetrics

    func segments() async -> [SegmentDocument]

    /// Those behind `number` that are still kept, oldest first.
    func events(after number: UInt64) -> [EventDocument]

    /// The number of the newest event, asked often.
    var lastEvent: UInt64 { get }

    /// The other members.
    var others: [AdminPeer] { get }

    /// The same of another node, which may take its time: whoever asks sets the bound.
    func status(of peer: AdminPeer, eventsAfter: UInt64?) async throws(PeerSilence) -> NodeStatus

    /// Returns once this part of the program has come to it.
    func reach(_ part: NodePart) async

    /// The index that the next record takes, as a quorum confirms now; may take its time.
    func confirmedNextIndex() async throws(PeerSilence) -> LogIndex

    /// Whether this node itself holds everything before `index`, waiting for it so long at most.
    func isLevel(with index: LogIndex, withinMilliseconds: UInt64) async -> Bool

    /// This listener refused a request itself, in these words; what is mirrored is told of where it is refused.
    func refused(_ problem: ProblemDocument, of head: HTTPRequest)

    /// The node has been told to stop.
    var isDraining: Bool { get }
}

/// A part of a node that everything waits for when it hangs.
package enum NodePart: String, CaseIterable, Sendable {
    case replication
    case clients
    case disk
}

/// Another node of the cluster.
package struct AdminPeer: Hashable, Sendable {
    package var number: UInt32
    /// `host:port` of its client listener.
    package var client: String

    package init(number: UInt32, client: String) {
        self.number = number
        self.client = client
    }
}

/// Why nothing was heard, for people.
package struct PeerSilence: Error, Hashable, Sendable {
    package var reason: String

    package init(_ reason: String) { self.reason = reason }
}
