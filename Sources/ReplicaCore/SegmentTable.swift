import DequeModule
import LogModel

/// The segments of the log: where each begins, by index, and the exact length of those that are sealed.
///
///     first                        active
///     | sealed | sealed | sealed | written to |
package struct SegmentTable: Sendable {
    private struct Segment {
        var firstIndex: LogIndex
        /// `nil` for the active one.
        var byteCount: UInt32?
    }

    package private(set) var first: SegmentID
    /// Ascending and without gaps; never empty.
    private var segments: Deque<Segment>

    package init(first: SegmentID = .first, firstIndex: LogIndex = .first) {
        self.first = first
        self.segments = [Segment(firstIndex: firstIndex)]
    }

    /// The index of the first record that is kept, whether or not it is there yet.
    package var firstIndex: LogIndex { self.segments[0].firstIndex }
    var active: SegmentID { SegmentID(self.first.rawValue + UInt32(self.segments.count - 1)) }

    /// `nil` for the active segment, and for those that the log does not have.
    func byteCount(of id: SegmentID) -> UInt32? {
        guard id >= self.first, id <= self.active else { return nil }
        return self.segments[Int(id.rawValue - self.first.rawValue)].byteCount
    }

    /// How much of the log lies between two of its positions.
    ///
    /// - Complexity: O(segments between them).
    func byteCount(from start: Position, to end: Position) -> UInt64 {
        var at = max(start, Position(segment: self.first, offset: 0))
        var sum: UInt64 = 0
        while at.segment < end.segment {
            guard let byteCount = self.byteCount(of: at.segment) else { return sum }
            sum += UInt64(byteCount) - min(UInt64(at.offset), UInt64(byteCount))
            at = Position(segment: at.segment.next, offset: 0)
        }
        return sum + (at < end ? UInt64(end.offset - at.offset) : 0)
    }

    /// The next segment begins: the active one is sealed.
    ///
    /// - Parameter end: Of the segment that was active.
    package mutating func began(at firstIndex: LogIndex, behind end: Position) {
        precondition(end.segment == self.active, "a segment begins behind \(end), segment \(self.active) is active")
        self.segments[self.segments.count - 1].byteCount = end.offset
        self.segments.append(Segment(firstIndex: firstIndex))
    }

    /// The segment that holds `position` is the active one again.
    mutating func truncate(to position: Position) {
        precondition(position.segment >= self.first, "cut at \(position), the log begins with \(self.first)")
        while self.active > position.segment { self.segments.removeLast() }
        self.segments[self.segments.count - 1].byteCount = nil
    }

    /// What is known of a sealed segment since its file is good again.
    mutating func repaired(_ id: SegmentID, firstIndex: LogIndex, byteCount: UInt32) {
        guard self.byteCount(of: id) != nil else { return }
        self.segments[Int(id.rawValue - self.first.rawValue)] = Segment(firstIndex: firstIndex, byteCount: byteCount)
    }

    mutating func trim(before id: SegmentID) {
        precondition(id <= self.active, "the active segment \(self.active) is trimmed")
        while self.first < id {
            self.segments.removeFirst()
            self.first = self.first.next
        }
    }

    /// The first segment that must be kept when records before `index` may go.
    ///
    /// It is a sealed one, unless there is none: a node that is too far behind begins with a copy of it, and only what
    /// is sealed can be copied. What goes before it ends at or before `commit`.
    ///
    /// - Complexity: O(segments).
    func firstKept(before index: LogIndex, committedThrough commit: Position) -> SegmentID {
        var kept = self.first
        for (place, segment) in self.segments.enumerated().dropLast().dropFirst() {
            let id = SegmentID(self.first.rawValue + UInt32(place))
            guard segment.firstIndex <= index, commit.segment >= id || self.isEnd(commit, before: id) else { break }
            kept = id
        }
        return kept
    }

    /// Whether `position` is where the segment before `id` ends.
    private func isEnd(_ position: Position, before id: SegmentID) -> Bool {
        position.segment.next == id && self.byteCount(of: position.segment) == position.offset
    }
}
