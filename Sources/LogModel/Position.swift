/// The address of a frame's first byte: the same on every node of a cluster.
///
/// As a *tail* it is the position after the last frame, and stays in the last frame's segment.
public struct Position: Hashable, Comparable, Sendable, CustomStringConvertible {
    public var segment: SegmentID
    /// Bytes from the start of the segment file.
    public var offset: UInt32

    public init(segment: SegmentID, offset: UInt32) {
        self.segment = segment
        self.offset = offset
    }

    public init(_ segment: UInt32, _ offset: UInt32) {
        self.init(segment: SegmentID(segment), offset: offset)
    }

    /// Before everything.
    public static let zero = Position(0, 0)
    /// Behind everything.
    package static let max = Position(.max, .max)

    public static func < (a: Position, b: Position) -> Bool {
        a.segment == b.segment ? a.offset < b.offset : a.segment < b.segment
    }

    public func advanced(by count: Int) -> Position {
        Position(segment: self.segment, offset: self.offset + UInt32(count))
    }

    /// `3:1064`
    public var description: String { "\(self.segment):\(self.offset)" }

    /// Parses `3:1064`.
    public init?(_ text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let segment = UInt32(parts[0]), let offset = UInt32(parts[1]) else { return nil }
        self.init(segment, offset)
    }
}

/// How far a log reaches: the end of a frame and the term of that frame.
///
/// Ordered as votes order logs (Raft §5.4.1): by term, then by position.
package struct LogPoint: Hashable, Comparable, Sendable, CustomStringConvertible {
    package var term: Term
    package var position: Position
    package init(term: Term, position: Position) {
        self.term = term
        self.position = position
    }
    package static let zero = LogPoint(term: .zero, position: .zero)
    package static func < (a: LogPoint, b: LogPoint) -> Bool {
        a.term == b.term ? a.position < b.position : a.term < b.term
    }
    package var description: String { "t\(self.term)@\(self.position)" }
}

/// Where a term begins in a log: the position of the first frame that carries it.
package struct TermStart: Hashable, Sendable {
    package var term: Term
    package var firstIndex: LogIndex
    package var position: Position
    package init(term: Term, firstIndex: LogIndex, position: Position) {
        self.term = term
        self.firstIndex = firstIndex
        self.position = position
    }
}
