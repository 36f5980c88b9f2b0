/// Versions of the peer protocol that a node speaks: from the lowest to the highest, without a gap.
///
/// Nodes of two releases speak the highest version that both know. Whoever asks names a range, and its messages are in the
/// highest version of it; whoever answers names all that it speaks itself, also where it refuses:
///
///     1-2  asks  1    "1-2", messages in 2  -->  400, "1"
///                     "1",   messages in 1  -->  200, "1"
///     1-2  asks  1-2  "1-2", messages in 2  -->  200, "1-2"
///     1    asks  2    "1",   messages in 1  -->  400, "2": no common one, and both tell of it
///
/// So a release that adds a version can be rolled out node by node, and a later one may drop the old version.
struct ProtocolRange: Hashable, Sendable, CustomStringConvertible {
    let lowest: UInt16
    let highest: UInt16

    init(_ versions: ClosedRange<UInt16>) {
        self.lowest = versions.lowerBound
        self.highest = versions.upperBound
    }

    /// - Parameter text: `2`, or `1-2`; decimal digits only.
    init?(_ text: String) {
        let bounds = text.split(separator: "-", omittingEmptySubsequences: false).map(Self.version)
        guard (1...2).contains(bounds.count), let lowest = bounds[0], let highest = bounds.last ?? nil,
            lowest <= highest
        else { return nil }
        self.init(lowest...highest)
    }

    private static func version(_ text: Substring) -> UInt16? {
        text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } ? UInt16(text) : nil
    }

    var description: String { self.lowest == self.highest ? "\(self.lowest)" : "\(self.lowest)-\(self.highest)" }

    func contains(_ version: UInt16) -> Bool { (self.lowest...self.highest).contains(version) }

    /// `nil` when there is no common version.
    func highestCommon(with other: ProtocolRange) -> UInt16? {
        let highest = min(self.highest, other.highest)
        return highest >= max(self.lowest, other.lowest) ? highest : nil
    }
}

/// What a node offers to one peer: all that it speaks, until it knows what the peer does.
struct ProtocolOffer {
    private let spoken: ProtocolRange
    /// What requests name; their messages are in the highest of these versions.
    private(set) var range: ProtocolRange

    init(_ spoken: ProtocolRange = PeerProtocol.spoken) {
        self.spoken = spoken
        self.range = spoken
    }

    enum Outcome: Hashable {
        case same
        /// Requests name another range from now on.
        case changed
        case nothingCommon
    }

    /// The peer has answered, and said what it speaks.
    mutating func heard(_ peer: ProtocolRange) -> Outcome {
        guard let version = self.spoken.highestCommon(with: peer) else { return .nothingCommon }
        let range = ProtocolRange(self.spoken.lowest...version)
        defer { self.range = range }
        return range == self.range ? .same : .changed
    }
}

/// The versions on which a node has agreed with one peer, as far as the log was told of them.
///
/// A process speaks the same versions all its life. So each is told of once on a connection, however often the answers
/// on it differ, and on the next one only where it is not the last one that was told of.
struct ToldAgreements {
    private var last: UInt16?
    private var onConnection: Set<UInt16> = []

    mutating func connected() { self.onConnection = [] }

    /// Nothing is common: to agree on the same version again is news then.
    mutating func disagreed() { self.last = nil }

    /// - Returns: Whether the log is to be told.
    mutating func agreed(on version: UInt16) -> Bool {
        guard self.onConnection.insert(version).inserted, version != self.last else { return false }
        self.last = version
        return true
    }
}
