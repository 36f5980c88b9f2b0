import NIOCore

#if canImport(Glibc)
    import Glibc
#endif

/// Every bound of the admin listener, in one place; those of its connections stand in ``ConnectionBounds``.
package enum AdminLimits {
    // Connections.
    static let headByteCountMax = 16 << 10
    static let headFieldsMax = 100
    /// Of what is read at a time: several reads of each connection may wait for their request.
    static let readByteCountMax = 8 << 10
    #if os(Linux)
        /// Seconds of silence, seconds from one question to the next, and questions without an answer: 30 s in all.
        static let keepalive = [(TCP_KEEPIDLE, 15), (TCP_KEEPINTVL, 5), (TCP_KEEPCNT, 3)]
    #endif

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
    /// Bodies of all connections that are not passed on yet; a share of it is read of each although they are more
    /// (``ConnectionBounds/share(of:)``).
    static let mirroredBodiesByteCountMax = 16 << 20
    /// A body that comes more slowly gives way to others when there is no room for all.
    static let bodyPace = BodyBudget.Pace(byteCount: 64 << 10, time: .milliseconds(500))
    /// What a connection's socket takes of an answer, and what it is given at a time: not more than a slow reader takes in a few
    /// seconds, for the system tells of its progress a third of the buffer at a time.
    static let socketBufferByteCount = 64 << 10
    static let writeByteCount = 16 << 10

    // The last minute.
    package static let samplesMax = 61
    package static let sampleMilliseconds: Int64 = 1_000
    static let rateSampleCount = 5
}
