import NIOCore

/// Every bound of the admin listener, in one place.
package enum AdminLimits {
    // Connections.
    static let connectionsMax = 256
    static let headByteCountMax = 16 << 10
    static let headFieldsMax = 100
    /// From accepting to the end of the first request's head.
    static let headMilliseconds: Int64 = 10_000
    /// From a head to the end of its body, whatever comes meanwhile.
    static let bodyMilliseconds: Int64 = 60_000
    /// Between two requests of a connection.
    static let idleMilliseconds: Int64 = 60_000
    /// An answer that nobody takes for so long ends its connection.
    static let unreadMilliseconds: Int64 = 15_000
    /// How long open requests may go on when the node stops.
    static let shutdownSeconds: Int64 = 3

    // Health.
    static let livenessMilliseconds: UInt64 = 5_000
    /// For a quorum to confirm what is committed, and for this node to have it.
    static let proofMilliseconds: UInt64 = 1_000
    /// How long a proof serves whoever asks next.
    static let proofAgeMilliseconds: UInt64 = 500

    // The cluster's view.
    /// A peer that does not say in time how it is counts as gone. What the others said waits for it: twice this, for the
    /// look that is under way and the next, is below the second in which a stream tells what a node knows.
    static let peerMilliseconds: UInt64 = 400
    static let streamsMax = 32
    /// From one look of a stream at the cluster to the next; a look that took longer is followed at once.
    static let lookMilliseconds: Int64 = 250
    /// A stream says again how things are with the first look after so long, although nothing happened.
    static let quietMilliseconds: Int64 = 400
    package static let eventsMax = 1_000

    // The client API.
    /// What the client listener takes at most, too.
    static let mirroredByteCountMax = 8 << 20

    // The last minute.
    package static let samplesMax = 61
    package static let sampleMilliseconds: Int64 = 1_000
    static let rateSampleCount = 5
}
