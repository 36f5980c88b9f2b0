import LogModel

/// What opening a log found, kept and cut.
public struct RecoveryReport: Hashable, Sendable {
    /// A part of the tail that was never synced, and is gone.
    public struct Cut: Hashable, Sendable {
        /// The tail after the cut.
        public var from: Position
        /// Bytes that were not zero.
        public var byteCount: Int
        /// Segment files removed whole.
        public var segmentCount: Int
        /// Why the scan stopped; `nil` when it stopped at zeros with something behind them.
        public var fault: FrameFault?
    }

    /// The log was closed in an orderly way.
    public var wasClosedCleanly = false
    /// How often this directory was opened, this time included.
    public var starts: UInt64 = 0
    public var segmentCount = 0
    /// Frames and bytes read and checked; everything else is checked when it is read.
    public var scannedFrameCount = 0
    public var scannedByteCount = 0
    /// The last position known to be synced before opening; `nil` when DURABLE could not be read.
    public var durableBefore: Position?
    /// Where the log ends now. Everything below is synced.
    public var tail: Position = .zero
    public var nextIndex: LogIndex = .first
    public var cut: Cut?
    /// Only under ``RecoveryMode/tolerateDamage``: what was set aside, and why.
    public var damage: [Damage] = []

    package init() {}
}
