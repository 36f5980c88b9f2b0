import LogModel
import SegmentFormat

/// What readers need to know of a log at one moment: which segments there are and how far each reaches.
struct LogLayout: Sendable {
    struct Segment: Sendable {
        var id: SegmentID
        var firstIndex: LogIndex
        /// Its final length, or how far it reaches: frames that are staged count, although they are not in the file.
        var byteCount: UInt32
        var index: SegmentIndex
    }

    /// Ascending and without gaps; never empty.
    private(set) var segments: [Segment]
    private(set) var tail: LogPoint
    private(set) var nextIndex: LogIndex
    /// Raised by each truncation: tells a reader that what it read under may have gone.
    private(set) var truncations: UInt64 = 0
    /// Where they cut, both ascending: a cut below earlier ones makes these forgotten.
    private var cuts: [(truncation: UInt64, position: Position)] = []
    /// Sealed segments of which the index is in memory, least recently used first.
    private var indexed: [SegmentID] = []

    init(segments: [Segment], tail: LogPoint, nextIndex: LogIndex) {
        precondition(!segments.isEmpty, "a log has a segment")
        self.segments = segments
        self.tail = tail
        self.nextIndex = nextIndex
        for segment in segments.dropLast() where !segment.index.marks.isEmpty { self.keepIndex(of: segment.id) }
    }

    var first: Position { Position(segment: self.segments[0].id, offset: 0) }

    /// - Returns: `nil` unless the segment is part of the log.
    func segment(_ id: SegmentID) -> Segment? { self.place(of: id).map { self.segments[$0] } }

    /// How far a segment reaches; `nil` unless it is part of the log.
    func extent(of id: SegmentID) -> UInt32? { self.place(of: id).map { self.segments[$0].byteCount } }

    /// The last segment whose first index is not above `index`: the one that holds it, if any does.
    func segment(holding index: LogIndex) -> Segment? {
        var low = 0
        var high = self.segments.count
        while low < high {
            let middle = (low + high) / 2
            if self.segments[middle].firstIndex <= index { low = middle + 1 } else { high = middle }
        }
        return low == 0 ? nil : self.segments[low - 1]
    }

    mutating func appended(chain: FrameChain, marks: [(header: FrameHeader, position: Position)]) {
        let last = self.segments.count - 1
        self.segments[last].index.note(marks, from: self.segments[last].byteCount, through: chain.tail.offset)
        self.segments[last].byteCount = chain.tail.offset
        self.tail = chain.point
        self.nextIndex = chain.nextIndex
    }

    mutating func appended(_ header: FrameHeader, at offset: UInt32, chain: FrameChain) {
        let last = self.segments.count - 1
        self.segments[last].index.note(header, at: offset)
        self.segments[last].byteCount = chain.tail.offset
        self.tail = chain.point
        self.nextIndex = chain.nextIndex
    }

    mutating func began(_ segment: Segment) {
        precondition(segment.id == self.segments.last?.id.next, "segment \(segment.id) does not come next")
        self.keepIndex(of: self.segments[self.segments.count - 1].id)
        self.segments.append(segment)
    }

    mutating func truncated(to chain: FrameChain) {
        while let last = self.segments.last, last.id > chain.tail.segment { self.segments.removeLast() }
        let last = self.segments.count - 1
        self.segments[last].byteCount = chain.tail.offset
        self.segments[last].index.truncate(to: chain.tail.offset)
        self.indexed.removeAll { $0 >= chain.tail.segment }
        self.tail = chain.point
        self.nextIndex = chain.nextIndex
        self.noteCut(at: chain.tail)
    }

    private mutating func noteCut(at position: Position) {
        self.truncations += 1
        while let last = self.cuts.last, last.position >= position { self.cuts.removeLast() }
        self.cuts.append((self.truncations, position))
        guard self.cuts.count > EngineLimits.rememberedCutsMax else { return }
        // The two oldest become one at the lower place: a reader that slept since may be told too much, never too little.
        self.cuts[1].position = self.cuts[0].position
        self.cuts.removeFirst()
    }

    /// Whether the frame that ends at `position` was cut off since, even if others stand there now.
    func isRemoved(_ position: Position, since truncations: UInt64) -> Bool {
        guard truncations < self.truncations else { return false }
        guard let lowest = self.cuts.first(where: { $0.truncation > truncations }) else { return false }
        return position > lowest.position
    }

    mutating func trimmed(before first: SegmentID) {
        self.segments.removeAll { $0.id < first }
        self.indexed.removeAll { $0 < first }
        precondition(!self.segments.isEmpty, "the active segment was trimmed")
    }

    /// A segment that a seek looks into: its index stays in memory for longer than that of others.
    mutating func sought(_ id: SegmentID) -> Segment? {
        guard let segment = self.segment(id) else { return nil }
        if !segment.index.marks.isEmpty, id != self.tail.position.segment { self.keepIndex(of: id) }
        return segment
    }

    /// A segment whose header had been lost is whole again.
    mutating func repaired(_ header: SegmentHeader, byteCount: Int) {
        guard let place = self.segments.firstIndex(where: { $0.id == header.segment }) else { return }
        self.segments[place].firstIndex = header.firstIndex
        self.segments[place].byteCount = UInt32(byteCount)
        self.segments[place].index = SegmentIndex(spacing: self.segments[place].index.spacing)
    }

    /// Takes over the index of a reader that walked further into a segment than anybody before.
    ///
    /// - Parameters:
    ///   - truncations: As they were when the reader took its copy: marks of frames that were cut since would point
    ///     into others.
    ///   - isCorrection: The index in memory led nowhere.
    mutating func adopt(
        _ index: SegmentIndex, of id: SegmentID, end: UInt32, truncations: UInt64, isCorrection: Bool = false
    ) {
        guard truncations == self.truncations, let place = self.place(of: id) else { return }
        guard self.segments[place].byteCount >= end else { return }
        let isActive = place == self.segments.count - 1
        // Appending keeps the active segment's index complete.
        guard isCorrection ? !isActive : index.covered > self.segments[place].index.covered else { return }
        self.segments[place].index = index
        if !isActive { self.keepIndex(of: id) }
    }

    private mutating func keepIndex(of id: SegmentID) {
        self.indexed.removeAll { $0 == id }
        self.indexed.append(id)
        guard self.indexed.count > EngineLimits.indexesMax else { return }
        let oldest = self.indexed.removeFirst()
        guard let place = self.place(of: oldest) else { return }
        self.segments[place].index = SegmentIndex(spacing: self.segments[place].index.spacing)
    }

    private func place(of id: SegmentID) -> Int? {
        let first = self.segments[0].id.rawValue
        guard id.rawValue >= first, Int(id.rawValue - first) < self.segments.count else { return nil }
        return Int(id.rawValue - first)
    }
}
