import LogModel

/// What opening a log found, kept and cut.
public struct RecoveryReport: Hashable, Sendable, CustomStringConvertible {
    /// A part of the log.
    public struct Extent: Hashable, Sendable {
        public var byteCount: Int
        public var frameCount: Int

        package init(byteCount: Int = 0, frameCount: Int = 0) {
            self.byteCount = byteCount
            self.frameCount = frameCount
        }
    }

    /// A part of the tail that was never synced, and is gone.
    public struct Cut: Hashable, Sendable {
        /// The tail after the cut.
        public var from: Position
        /// Bytes that were not zero.
        public var byteCount: Int
        /// Frames of which at least the header was good, as far as one led to the next.
        public var frameCount: Int
        /// Segment files removed whole.
        public var segmentCount: Int
        /// Why the scan stopped; `nil` when it stopped at zeros with something behind them.
        public var fault: FrameFault?
    }

    /// The log was closed in an orderly way.
    public var wasClosedCleanly = false
    /// How often this directory was opened, this time included.
    public var starts: UInt64 = 0
    /// The count of starts could not be stored, since the disk is full. Only in logs of their own.
    public var isStartUncounted = false
    /// Segment files that belong to the log now.
    public var segmentCount = 0
    /// Bytes of all segments together, headers included, without preallocated space.
    public var byteCount = 0
    /// Read and checked now, segment headers included; everything else is checked when it is read.
    public var scanned = Extent()
    public var scannedFrameCount: Int { self.scanned.frameCount }
    public var scannedByteCount: Int { self.scanned.byteCount }
    /// Of what was scanned: kept although it lay above ``durableBefore``. It was found good, and is synced now.
    public var keptUnsynced = Extent()
    /// The last position known to be synced before opening; `nil` when DURABLE could not be read.
    public var durableBefore: Position?
    /// In a cluster under ``FsyncPolicy/os``: the machine has started anew, without an orderly stop before, and what this
    /// node had received and not synced may be gone.
    public var mayLackReceived = false
    /// Where the log begins.
    public var first: Position = .zero
    /// Where the log ends now. Everything below is synced.
    public var tail: Position = .zero
    /// The index that the next record gets.
    public var nextIndex: LogIndex = .first
    /// What was never synced and did not fit; `nil` when nothing was cut.
    public var cut: Cut?
    /// Segments that were full but not cut to their length when the process ended, and are now.
    public var finalizedSegmentCount = 0
    /// Segment files that a trim had given up and a crash had left.
    public var trimmedSegmentCount = 0
    /// Under ``RecoveryMode/tolerateDamage``: why the log ends where it does. In a cluster: what is quarantined.
    public var damage: [Damage] = []
    /// In a cluster: where the log ends now because of damage; peers have what comes from there on.
    public var givenUp: Damage?
    /// Names of the files that keep what no longer belongs to the log: under ``RecoveryMode/tolerateDamage`` what came
    /// after damage; under any mode segment files that nothing led to, and what was cut where DURABLE was unreadable and
    /// so did not say whether it had been synced.
    public var setAside: [String] = []

    package init() {}

    /// One paragraph for people.
    public var description: String {
        let isNew = self.starts == 1 && self.scanned.byteCount == 0
        let ending = self.wasClosedCleanly ? "closed cleanly" : "not closed cleanly"
        var text = "\(isNew ? "a new log" : ending), start \(self.starts)"
        if self.isStartUncounted { text += " (not stored: the disk is full)" }
        text += ": \(Self.count(self.segmentCount, "segment")), \(Self.count(self.byteCount, "byte"))"
        text += " from \(self.first) to \(self.tail), next index \(self.nextIndex)"
        text += "; checked \(Self.text(self.scanned)) on opening"
        if let durable = self.durableBefore {
            if !self.wasClosedCleanly { text += "; synced through \(durable) before" }
        } else if self.starts > 1 {
            text += "; how far it had been synced is unknown"
        }
        if self.mayLackReceived {
            text += "; what was received after that and not synced may be lost with the machine's memory"
        }
        if self.keptUnsynced.byteCount > 0 { text += "; kept \(Self.text(self.keptUnsynced)) above that" }
        if let cut = self.cut {
            let extent = Extent(byteCount: cut.byteCount, frameCount: cut.frameCount)
            text += "; cut \(Self.text(extent)) from \(cut.from) on that were never synced"
            if cut.segmentCount > 0 { text += ", \(Self.count(cut.segmentCount, "whole segment")) among them" }
            text += ": \(cut.fault.map { "\($0)" } ?? "zeros before them")"
        }
        if self.finalizedSegmentCount > 0 {
            text += "; finalized \(Self.count(self.finalizedSegmentCount, "segment"))"
        }
        if self.trimmedSegmentCount > 0 {
            text += "; removed \(Self.count(self.trimmedSegmentCount, "trimmed segment"))"
        }
        if let givenUp { text += "; the log ends before damage, and a peer has the rest: \(givenUp.summary)" }
        for damage in self.damage { text += "; \(damage.summary)" }
        if !self.setAside.isEmpty { text += "; kept aside in \(self.setAside.joined(separator: ", "))" }
        return text
    }

    private static func text(_ extent: Extent) -> String {
        "\(Self.count(extent.byteCount, "byte")) (\(Self.count(extent.frameCount, "frame")))"
    }

    private static func count(_ number: Int, _ what: String) -> String { "\(number) \(what)\(number == 1 ? "" : "s")" }
}
