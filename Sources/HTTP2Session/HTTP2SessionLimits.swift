/// Bounds of one HTTP/2 session. Everything over one of them is refused by name.
package struct HTTP2SessionLimits: Hashable, Sendable {
    /// Streams the peer may have open at once; more are refused (REFUSED_STREAM).
    package var maxConcurrentStreams: UInt32 = 512
    /// Names, values and 32 bytes each (RFC 9113 §6.5.2).
    package var headerListByteCountMax: Int = 32 * 1024
    /// Bytes a peer may send on one stream before the receiver consumes them. At most 2^31 - 1.
    package var streamWindowByteCount: UInt32 = 16 * 1024 * 1024
    /// The same over all streams of the connection: bounds what lies unconsumed in memory. At most 2^31 - 1.
    package var connectionWindowByteCount: UInt32 = 64 * 1024 * 1024
    /// Largest frame taken from the peer: 16 KiB ..< 16 MiB.
    package var frameByteCountMax: UInt32 = 256 * 1024
    /// Largest DATA frame sent, when the peer takes that much.
    package var sentFrameByteCountMax: Int = 256 * 1024
    /// Entries in one SETTINGS frame.
    package var settingsEntriesMax: Int = 32

    package var pings = RateBudget(burst: 200, perSecond: 20)
    package var settings = RateBudget(burst: 50, perSecond: 2)
    package var emptyData = RateBudget(burst: 200, perSecond: 20)
    /// Resets by the peer, and those that its errors force on us.
    package var resets = RateBudget(burst: 1_000, perSecond: 100)
    package var priorities = RateBudget(burst: 1_000, perSecond: 100)
    /// Each DATA frame sent allows four more.
    package var windowUpdates = RateBudget(burst: 10_000, perSecond: 1_000)

    package init() {}
}
