/// Whether a peer takes what its socket was given.
///
/// Nothing more is written while a channel is not writable. So what waits can only become less then, and by as much as the
/// peer took: that alone tells one that reads slowly from one that reads a byte now and then to look alive. Whether the
/// channel became writable does not, for that takes hundreds of kilobytes.
package struct UnreadWatch: Sendable {
    /// Fewer bytes are no progress.
    private let progressByteCountMin: Int
    /// What waited at the last progress, and when that was, in monotonic nanoseconds.
    private var last: (waitingByteCount: Int, at: UInt64)?

    package init(progressByteCountMin: Int) { self.progressByteCountMin = progressByteCountMin }

    /// - Parameter waitingByteCount: What the socket has not taken, and what the peer's machine has not acknowledged.
    /// - Returns: The last progress.
    package mutating func looked(waitingByteCount: Int, now: UInt64) -> UInt64 {
        if let last, last.waitingByteCount - waitingByteCount < self.progressByteCountMin { return last.at }
        self.last = (waitingByteCount, now)
        return now
    }

    package mutating func becameWritable() { self.last = nil }
}
