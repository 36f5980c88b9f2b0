import LogModel

/// What of the log is damaged, and the one repair that is under way.
///
///     found --> due --> fetching (from a peer) --> fetched --> installing --> repaired
///                ^---- pause, another peer ----'                   '--> due
///
/// The highest damaged segment comes first: a copy is checked against the header of the segment behind it.
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
    /// Whom the last copy was asked of.
    private var lastAsked: NodeID?

    var isEmpty: Bool { self.ends.isEmpty }
    /// Where the last damage ends; zero without any.
    var end: Position { self.ends.values.max() ?? .zero }
    var lowest: SegmentID? { self.ends.keys.min() }
    /// Highest first.
    var segments: [SegmentID] { self.ends.keys.sorted(by: >) }

    mutating func found(in segment: SegmentID, end: Position) {
        self.ends[segment] = max(end, self.ends[segment] ?? .zero)
    }

    mutating func repaired(_ segment: SegmentID) {
        self.ends[segment] = nil
        self.phase = .idle
        self.lastAsked = nil
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

    /// - Parameter peers: Who may have a copy, the best first.
    /// - Returns: Whom to ask: everybody in turn.
    mutating func begin(_ segment: SegmentID, among peers: [NodeID]) -> NodeID? {
        let last = self.lastAsked.flatMap { peers.firstIndex(of: $0) }
        guard !peers.isEmpty else { return nil }
        let peer = peers[last.map { ($0 + 1) % peers.count } ?? 0]
        self.lastAsked = peer
        self.phase = .fetching(segment)
        return peer
    }

    mutating func fetched(_ segment: SegmentID) { self.phase = .installing(segment) }

    mutating func failed(retryAt: MonotonicTime) {
        self.phase = .idle
        self.retryAt = retryAt
    }
}
