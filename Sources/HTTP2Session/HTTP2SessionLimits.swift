/// Bounds of one HTTP/2 session. Everything over one of them is refused by name.
package struct HTTP2SessionLimits: Hashable, Sendable {
    /// Streams the peer may have open at once. Before it acknowledges this, more are refused (REFUSED_STREAM); then one more
    /// ends the connection (PROTOCOL_ERROR).
    package var maxConcurrentStreams: UInt32 = 512
    /// Names, values and 32 bytes each (RFC 9113 §6.5.2).
    package var headerListByteCountMax: Int = 32 * 1024
    /// What is decompressed of a longer list, counted in the same way, only to keep the table in step. A byte on the wire
    /// may stand for a whole entry of the table, so a list behind this is a bomb, and ends the session.
    package var headerListDecodedByteCountMax: Int = 256 * 1024
    /// The compression table of either direction, whatever the peer's settings would allow (RFC 7541 §4.2).
    package var headerTableByteCount: UInt32 = 4_096
    /// CONTINUATION frames of one header block: nghttp2's own default, and four times what our largest list needs in
    /// frames of the smallest maximum.
    package var continuationFramesMax: Int = 8
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
    /// Answers to PING and SETTINGS that wait to be sent.
    package var unsentAcknowledgementsMax: Int = 1_000
    /// PINGs of ours of which the answers are known; at least 1.
    package var unansweredPingsMax: Int = 16
    /// Server: frames other than DATA that wait to be sent, of any kind: what a peer makes us say and does not take.
    package var unsentFramesMax: Int = 4_096

    package var pings = RateBudget(burst: 200, perSecond: 20)
    /// Answers to PINGs that were never sent.
    package var pongs = RateBudget(burst: 200, perSecond: 20)
    package var settings = RateBudget(burst: 50, perSecond: 2)
    package var emptyData = RateBudget(burst: 200, perSecond: 20)
    /// Resets of streams, by the peer and by a server: a peer whose errors make us reset its streams has them reset as
    /// well as if it had done so itself (CVE-2023-44487, CVE-2025-8671).
    package var resets = RateBudget(burst: 1_000, perSecond: 100)
    package var priorities = RateBudget(burst: 1_000, perSecond: 100)
    /// Each DATA frame sent allows four more.
    package var windowUpdates = RateBudget(burst: 10_000, perSecond: 1_000)
    /// One is enough; a graceful shutdown takes two.
    package var goAways = RateBudget(burst: 10, perSecond: 1)
    /// Frames of types that we do not know are passed over (RFC 9113 §4.1): that is work, too.
    package var unknownFrames = RateBudget(burst: 1_000, perSecond: 100)
    /// Frames of streams that are gone are passed over likewise, beside the DATA that can have been on its way when this
    /// side gave its stream up: see ``ClosedStreamBudget``.
    package var closedStreams = RateBudget(burst: 1_000, perSecond: 100)
    /// Header lists over the limit: each is decompressed and answered.
    package var oversizedHeaders = RateBudget(burst: 100, perSecond: 10)

    package init() {}
}
