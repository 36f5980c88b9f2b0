/// Every bound of the Replicator's decisions, in one place.
package struct ReplicaLimits: Sendable {
    /// Bytes shipped to one follower and not yet acknowledged.
    package var windowByteCountMax = 16 << 20
    /// Raw bytes of one RANGE; a frame that is larger travels alone.
    package var rangeByteCountMax = 256 << 10
    /// Bytes of recent frames kept in memory for shipping; older ones are read from the files.
    package var tailByteCountMax = 32 << 20
    /// Bytes appended and not yet committed, over which new appends are refused as busy.
    package var uncommittedByteCountMax = 64 << 20
    /// Appends that wait for their commit.
    package var pendingAppendCountMax = 65_536
    /// Trims that wait for their commit, and as many changes of members.
    package var pendingRequestCountMax = 1_024
    /// Reads that wait for a heartbeat round.
    package var pendingReadCountMax = 65_536
    /// How long an append may wait for its commit before its outcome is called unknown.
    package var commitTimeoutMilliseconds: UInt64 = 10_000
    /// How long a refused follower is left alone ...
    package var refusalPauseMilliseconds: UInt64 = 200
    /// ... and how often that is doubled, once for each range in a row that it takes nothing of: 3.2 s at most.
    package var refusalPauseDoublingsMax = 4
    /// How long a stream may wait for its welcome.
    package var welcomeTimeoutMilliseconds: UInt64 = 2_000

    /// How long after a repair that failed the next one begins.
    package var repairPauseMilliseconds: UInt64 = 250

    /// How long after a segment was ended for damage in it, a leader's own or a follower's, another one may be, at first.
    package var earlyEndPauseMilliseconds: UInt64 = 1_000

    /// How long a node that is no member any more still receives the log, which tells it so.
    package var leavingMilliseconds: UInt64 = 2_000

    package init() {}
}
