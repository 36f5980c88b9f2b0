import NIOCore

/// Every bound of the client listener and of configuration files, in one place; those of configured values stand in
/// their registry, ``ConfigurationKey/entry``.
package enum NodeLimits {
    /// One for the log and one for clients; on fewer than four cores one for both, since the hop between them and the
    /// wake-ups that it takes cost a fifth of all appends there, and hundreds of microseconds of the slow ones.
    static var eventLoopCount: Int { System.coreCount < 4 ? 1 : 2 }
    /// Larger bodies are read off the event loop, which others wait for.
    static let bodyByteCountOnLoopMax = 64 << 10
    static let sequencedByteCountOnLoopMax = 1 << 20
    /// One request's body; larger ones are answered with 413.
    package static let bodyByteCountMax = 8 << 20
    /// Of bodies that are not whole, all of them: beyond it the one that has not gone on for longest is refused.
    static let unfinishedByteCountMax = 32 << 20
    /// Of bodies that are whole and wait, all of them: further ones are refused.
    static let waitingByteCountMax = 64 << 20
    /// One cursor or token.
    package static let stateBodyByteCountMax = 4 << 10
    package static let idempotencyKeyByteCountMax = 255
    /// What a problem says of a request, some of it the request's own words.
    static let detailByteCountMax = 600
    /// A request's path and query.
    package static let targetByteCountMax = 8 << 10
    /// What is read and thrown away of a request that is refused, before its stream is ended.
    package static let drainByteCountMax = 64 << 20
    /// Records of one request: they become one frame, atomically.
    package static let recordsPerAppendMax = 4096
    /// Batches of one session, and their bytes, that wait for their commit: no more is read of it then.
    package static let sessionBatchesMax = 1_024
    package static let sessionByteCountMax = 16 << 20
    /// Frames of one traced session that have spans at a time.
    static let sessionSpansMax = 16
    /// Batches of one record that become one frame together, and the longest of them that does.
    static let sessionRunByteCountMax = 256 << 10
    /// How long a forwarded request waits for the leader's answer: longer than the leader itself waits.
    package static let forwardTimeoutMilliseconds: UInt64 = 12_000
    /// How long a request that did not reach the leader waits for the next one, and how often it looks.
    package static let leaderWaitMilliseconds: Int64 = 1_500
    package static let leaderRetryMilliseconds: Int64 = 20
    /// How often a request is passed on before it is answered with who leads.
    package static let forwardedCountMax = 2
    /// Records of one page when the request does not say, and at most.
    package static let pageRecordCount = 100
    package static let pageRecordCountMax = 10_000
    /// Raw bytes of one page: what a page may hold before it is cut; one record always fits.
    package static let pageByteCountMax = 4 << 20
    /// The same of the page as JSON, where control characters take six bytes each; one record always fits.
    package static let pageAnswerByteCountMax = 8 << 20
    /// Requests that read segments at a time, and bytes of frames of one of them: one frame always fits.
    package static let segmentReadsMax = 4
    package static let segmentReadByteCount = 1 << 20
    package static let segmentReadByteCountMax = 4 << 20
    /// The same of a stream, which has as many pages as it takes.
    package static let streamedPageByteCountMax = 512 << 10
    /// How long a read may wait for its first record.
    package static let waitMillisecondsMax: UInt64 = 60_000
    /// How long a read waits for its `min_index` when it does not say: a follower that is not cut off is there by then.
    package static let minIndexWaitMilliseconds: UInt64 = 500
    /// How long a follower waits before it looks again on its own whether something was committed.
    package static let followWaitMilliseconds: UInt64 = 10_000
    /// The leader's answer to a forwarded request: a single record grows in JSON, sixfold at worst.
    package static let forwardedAnswerByteCountMax = 64 << 20
    /// What another node says of itself, its newest events included.
    static let statusByteCountMax = 1 << 20
    static let statusMilliseconds: UInt64 = 1_000
    /// Of all answers that the admin listener passes on, what is on its way there; each connection has its share of it.
    static let doorWindowsByteCountMax = 16 << 20
    /// Connections that the admin listener passes requests on over.
    static let doorConnectionsMax = 32
    /// Its requests that wait for a free stream there, and how long each of them does.
    static let doorWaitingMax = 512
    static let doorWaitMilliseconds: Int64 = 1_000
    /// How long a stopping node lets open requests finish.
    package static let shutdownGraceMilliseconds: Int64 = 3_000
    /// A configuration file, and the keys in it: aliases can make a small one say very much.
    static let configurationByteCountMax = 64 << 10
    static let configurationEntryCountMax = 256
    static let configurationAliasCountMax = 16
}
