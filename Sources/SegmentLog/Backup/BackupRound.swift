/// What the servers of a backup have said, one after the other, when they were asked for the frames at a position and none
/// could give them.
package struct BackupRound: Hashable, Sendable {
    package enum Answer: Hashable, Sendable {
        /// No frame of its log begins there, and it is committed further.
        case noSuchFrame
        /// Its log begins behind that.
        case trimmed
        /// Another time it may have them: it is not reached, busy, damaged, or not as far yet.
        case notNow
    }

    package enum Verdict: Hashable, Sendable {
        /// All are to be asked again.
        case again
        /// The log has no frame there.
        case noSuchFrame
        /// Nobody gives them.
        case failed
    }

    /// How many servers there are to ask.
    private let serverCount: Int
    private var counts: [Answer: Int] = [:]

    package init(serverCount: Int) { self.serverCount = serverCount }

    package mutating func heard(_ answer: Answer) { self.counts[answer, default: 0] += 1 }

    /// - Parameter isLate: Whether the time is up: then one that says there is no such frame is believed, since those that
    ///   would know better had the time to say so.
    package func verdict(isLate: Bool) -> Verdict {
        let (absent, trimmed) = (self.counts[.noSuchFrame, default: 0], self.counts[.trimmed, default: 0])
        // What all have trimmed, or never had, does not come back.
        guard isLate || absent + trimmed >= self.serverCount else { return .again }
        return absent > 0 ? .noSuchFrame : .failed
    }
}

extension BackupOutline {
    /// What a server's generation makes of its frames, for a backup that is of one generation.
    package enum Standing: Hashable, Sendable {
        case same
        /// It may hold records that the cluster gave up.
        case older
        /// The cluster gave up records while it was copied.
        case newer
    }

    package func standing(of generation: UInt32) -> Standing {
        generation == self.generation ? .same : generation < self.generation ? .older : .newer
    }
}
