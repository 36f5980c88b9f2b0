import LogModel

/// A frame of a small world: no bytes, but a place, and a name that stands for them.
struct SmallFrame: Hashable {
    var term: Term
    /// Who placed it. Part of the name, should two nodes ever lead one term.
    var leader: Int
    /// Which of the world's appends it is; 0 for a term start and the founding frame.
    var append: Int
    var start: Position
    var end: Position
}

/// A node's log in a small world, from its founding frame on.
///
/// All frames have one length, and a segment holds three, so that a log of a few frames rotates. Checkpoints are left
/// out: to consensus they are frames like any other.
struct SmallLog: Hashable {
    private static let frameByteCount = 100
    private static let segmentHeaderByteCount: UInt32 = 64
    private static let segmentByteCount: UInt32 = 364

    private(set) var frames = [
        SmallFrame(term: .zero, leader: -1, append: 0, start: Position(0, 64), end: Position(0, 164))
    ]

    var tail: LogPoint { Self.end(of: self.frames[...]) }

    var terms: [TermStart] {
        var starts: [TermStart] = []
        for (index, frame) in self.frames.enumerated() where frame.term != starts.last?.term {
            starts.append(TermStart(term: frame.term, firstIndex: LogIndex(UInt64(index + 1)), position: frame.start))
        }
        return starts
    }

    private static func end(of frames: ArraySlice<SmallFrame>) -> LogPoint {
        frames.last.map { LogPoint(term: $0.term, position: $0.end) } ?? .zero
    }

    /// Appends as a leader does: in the next segment where this one is full, but for a term start.
    mutating func place(append: Int, term: Term, leader: Int) {
        var start = self.tail.position
        if append != 0, start.offset + UInt32(Self.frameByteCount) > Self.segmentByteCount {
            start = Position(segment: start.segment.next, offset: Self.segmentHeaderByteCount)
        }
        self.frames.append(
            SmallFrame(
                term: term, leader: leader, append: append, start: start,
                end: start.advanced(by: Self.frameByteCount)))
    }

    mutating func take(_ frame: SmallFrame) { self.frames.append(frame) }

    /// How many frames end at or before `position`.
    func count(through position: Position) -> Int { self.frames.prefix { $0.end <= position }.count }

    /// How many frames this log and another have in common.
    func commonCount(with other: SmallLog) -> Int { zip(self.frames, other.frames).prefix { $0 == $1 }.count }

    func prefix(_ count: Int) -> SmallLog {
        var log = self
        log.frames.removeLast(max(0, self.frames.count - count))
        return log
    }

    func point(after count: Int) -> LogPoint { Self.end(of: self.frames.prefix(count)) }

    /// Whether equal term and position imply equal frames there and before (Raft Figure 3, Log Matching).
    func matches(_ other: SmallLog) -> Bool {
        let known = other.frames.map { LogPoint(term: $0.term, position: $0.end) }
        let last = self.frames.lastIndex { known.contains(LogPoint(term: $0.term, position: $0.end)) }
        guard let last else { return true }
        return self.commonCount(with: other) > last
    }
}
