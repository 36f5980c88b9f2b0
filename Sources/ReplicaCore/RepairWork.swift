import LogModel

/// What of the log is damaged, and the one repair that is under way.
///
///     found --> due --> fetching (from a peer) --> fetched --> installing --> repaired
///                ^---- pause, another peer ----'                   '--> due
///
/// The highest damaged segment comes first: a copy is checked against the header of the segment behind it. One of which no
/// peer has a good copy keeps no other waiting.
struct RepairWork: Sendable {
    enum Phase: Hashable, Sendable {
        case idle
        case fetching(SegmentID)
        case installing(SegmentID)
    }

    /// Where the last damage of each segment ends.
    private var ends: [SegmentID: Position] = [:]
    private(set) var phase = Phase.idle
    private(set) var retryAt = MonotonicTime.zero
    /// When a leader may end a damaged segment again, and how long after that the next one.
    private var nextEarlyEnd = MonotonicTime.zero
    private var earlyEndDoublings = 0
    private static let earlyEndDoublingsMax = 12
    /// Eight seconds, from a quarter of one.
    private static let doublingsMax = 5
    /// Whom the last copy was asked of, and how many were asked for this segment in vain.
    private var lastAsked: NodeID?
    private var failureCount = 0
    private var peerCount = 0
    /// Every peer was asked for these in vain: others come first.
    private var passedOver: Set<SegmentID> = []
    /// How often every peer was asked for every segment in vain since a repair succeeded.
    private var vainRoundCount = 0

    var isEmpty: Bool { self.ends.isEmpty }
    /// Where the last damage ends; zero without any.
    var end: Position { self.ends.values.max() ?? .zero }
    var lowest: SegmentID? { self.ends.keys.min() }
    /// Highest first.
    var segments: [SegmentID] { self.ends.keys.sorted(by: >) }

    /// Whether a leader may end a damaged segment now; then it may not for a second, and for twice as long after each that
    /// follows as soon as it may: a disk that rots for ever makes a few segments a day.
    mutating func mayEndEarly(now: MonotonicTime, pauseMilliseconds: UInt64) -> Bool {
        guard now >= self.nextEarlyEnd else { return false }
        let pause = pauseMilliseconds << UInt64(self.earlyEndDoublings)
        let isQuiet = now >= self.nextEarlyEnd.advanced(byMilliseconds: pause)
        self.earlyEndDoublings = isQuiet ? 0 : min(self.earlyEndDoublings + 1, Self.earlyEndDoublingsMax)
        self.nextEarlyEnd = now.advanced(byMilliseconds: pauseMilliseconds << UInt64(self.earlyEndDoublings))
        return true
    }

    mutating func found(in segment: SegmentID, end: Position) {
        self.ends[segment] = max(end, self.ends[segment] ?? .zero)
    }

    mutating func repaired(_ segment: SegmentID) {
        self.ends[segment] = nil
        self.phase = .idle
        self.lastAsked = nil
        self.failureCount = 0
        // A copy of a lower one can be checked against it now.
        self.passedOver = []
        self.vainRoundCount = 0
    }

    /// Segments that are gone need no repair.
    mutating func trimmed(before first: SegmentID) {
        self.ends = self.ends.filter { $0.key >= first }
    }

    /// What was cut off is shipped again.
    mutating func truncated(to position: Position) {
        for segment in self.ends.keys where segment >= position.segment {
            self.ends[segment] = segment == position.segment ? min(position, self.ends[segment] ?? .zero) : nil
        }
    }

    /// - Parameters:
    ///   - ready: Segments that can be copied now, the highest first.
    ///   - peers: Who may have a copy, the best first.
    /// - Returns: What to ask for, and whom: everybody in turn.
    mutating func begin(_ ready: [SegmentID], among peers: [NodeID]) -> (segment: SegmentID, peer: NodeID)? {
        guard !peers.isEmpty, let highest = ready.first else { return nil }
        let next = ready.first { !self.passedOver.contains($0) }
        if next == nil {
            self.passedOver = []
            self.vainRoundCount += 1
        }
        let segment = next ?? highest
        let last = self.lastAsked.flatMap { peers.firstIndex(of: $0) }
        let peer = peers[last.map { ($0 + 1) % peers.count } ?? 0]
        self.lastAsked = peer
        self.peerCount = peers.count
        self.phase = .fetching(segment)
        return (segment, peer)
    }

    mutating func fetched(_ segment: SegmentID) { self.phase = .installing(segment) }

    /// - Parameter pauseMilliseconds: The first pauses; they double with each round that brings nothing, so
    ///   that a copy nobody has is not asked for, whole segments at a time, without end.
    mutating func failed(_ segment: SegmentID, now: MonotonicTime, pauseMilliseconds: UInt64) {
        self.phase = .idle
        let doublings = min(max(0, self.vainRoundCount - 1), Self.doublingsMax)
        self.retryAt = now.advanced(byMilliseconds: pauseMilliseconds << UInt64(doublings))
        self.failureCount += 1
        guard self.failureCount >= self.peerCount else { return }
        self.passedOver.insert(segment)
        self.lastAsked = nil
        self.failureCount = 0
    }
}
