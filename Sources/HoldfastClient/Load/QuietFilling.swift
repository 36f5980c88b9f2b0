/// When growth may be judged in a quiet part: once nodes have filled what they keep within bounds.
///
///     filling --30 s and 40 MiB acknowledged--> full
///        '------too late to judge it----------> too slow
///
/// Why bytes: a node keeps its newest 32 MiB of frames in memory, and one that was started a moment ago grows until it has them,
/// on a slow disk for longer than any time that was set beforehand. Why seconds, too: caches and allocators fill with time.
package struct QuietFilling: Hashable, Sendable {
    package enum State: Hashable, Sendable {
        case filling
        case full
        /// It is never full in time: what grows then tells nothing.
        case tooSlow
    }

    /// Of records that were acknowledged.
    package static let byteCountMin = 40 << 20
    package static let millisecondsMin: UInt64 = 30_000
    /// A look may come so much late; after that, as on a machine that stood still, too little is left to be judged.
    private static let lateMillisecondsMax: UInt64 = 5_000

    /// What is not full by then leaves too little of the quiet part.
    package var millisecondsMax: UInt64

    package init(millisecondsMax: UInt64) { self.millisecondsMax = millisecondsMax }

    /// - Parameters:
    ///   - byteCount: Of the records that were acknowledged since the quiet part began.
    ///   - milliseconds: Since then.
    package func state(acknowledged byteCount: Int, after milliseconds: UInt64) -> State {
        guard milliseconds >= Self.millisecondsMin else { return .filling }
        guard milliseconds <= self.millisecondsMax + Self.lateMillisecondsMax else { return .tooSlow }
        if byteCount >= Self.byteCountMin { return .full }
        return milliseconds < self.millisecondsMax ? .filling : .tooSlow
    }
}
