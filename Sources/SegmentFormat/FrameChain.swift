import LogModel

/// Where a log ends and what the next frame must say.
///
/// Writers place frames with it and receivers check them with it, so both agree by construction:
///
///     empty --startSegment--> (0, 64) --checkpoint--> (0, a) --frame--> (0, b) --startSegment--> (1, 64) -- ...
///
/// Each frame names the header checksum of the one before, across segments; equal checksums at equal positions
/// mean equal logs up to there.
package struct FrameChain: Hashable, Sendable {
    package var cluster: ClusterID
    /// The end of the last frame; (0, 0) before segment 0.
    package var tail: Position
    /// Header checksum of the last frame.
    package var previousChecksum: UInt32
    package var nextIndex: LogIndex
    /// Of the last frame.
    package var term: Term
    package var timestamp: Timestamp
    /// Where the last frame begins in its segment, as far as this chain saw it; a hint for finding it again, and no part
    /// of what makes two chains equal.
    package private(set) var lastFrameOffset: UInt32

    /// Before segment 0.
    package init(empty cluster: ClusterID) {
        self.init(
            cluster: cluster, tail: .zero, previousChecksum: 0, nextIndex: .first, term: .zero, timestamp: .zero)
    }

    package init(
        cluster: ClusterID, tail: Position, previousChecksum: UInt32, nextIndex: LogIndex, term: Term,
        timestamp: Timestamp, lastFrameOffset: UInt32 = 0
    ) {
        self.cluster = cluster
        self.tail = tail
        self.previousChecksum = previousChecksum
        self.nextIndex = nextIndex
        self.term = term
        self.timestamp = timestamp
        self.lastFrameOffset = lastFrameOffset
    }

    package static func == (a: FrameChain, b: FrameChain) -> Bool {
        a.tail == b.tail && a.previousChecksum == b.previousChecksum && a.nextIndex == b.nextIndex && a.term == b.term
            && a.timestamp == b.timestamp && a.cluster == b.cluster
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(self.tail)
        hasher.combine(self.previousChecksum)
    }

    package var point: LogPoint { LogPoint(term: self.term, position: self.tail) }
    package var isEmpty: Bool { self.tail.offset == 0 && self.tail.segment.rawValue == 0 }
    /// Only the segment's header stands: a checkpoint comes next.
    package var isAtSegmentStart: Bool { self.tail.offset == UInt32(SegmentHeader.byteCount) }

    /// What the header of the next segment must say.
    package var nextSegmentHeader: SegmentHeader {
        SegmentHeader(
            cluster: self.cluster,
            segment: self.isEmpty ? .first : self.tail.segment.next,
            firstIndex: self.nextIndex,
            previousChecksum: self.previousChecksum,
            previousLength: self.tail.offset
        )
    }
}

extension FrameChain {
    /// Fills in the draft's header for the tail and advances behind the frame.
    ///
    /// - Parameters:
    ///   - term: Not below ``term``.
    ///   - timestamp: Raised to the last frame's when it is earlier.
    /// - Returns: The finished frame, in the draft's own storage.
    package mutating func place(
        _ draft: consuming FrameDraft, term: Term, node: NodeID, timestamp: Timestamp
    ) -> PlacedFrame {
        let outline = draft.outline
        var bytes = draft.bytes
        draft.bytes = []
        let position = self.tail
        var elements = bytes.mutableSpan
        var out = elements.mutableBytes
        let header = self.place(outline, in: &out, term: term, node: node, timestamp: timestamp)
        return PlacedFrame(position: position, header: header, bytes: bytes)
    }

    /// Begins the next segment, or segment 0.
    ///
    /// - Returns: The segment's header. The tail lies behind it, and the caller places a checkpoint right there.
    package mutating func startSegment() -> [UInt8] {
        precondition(!self.isAtSegmentStart, "the segment before has no checkpoint")
        let header = self.nextSegmentHeader
        self.tail = Position(segment: header.segment, offset: UInt32(SegmentHeader.byteCount))
        return header.encoded()
    }

    mutating func advance(behind header: FrameHeader) {
        self.lastFrameOffset = self.tail.offset
        self.tail.offset += header.length
        self.previousChecksum = header.headerChecksum
        self.nextIndex = header.nextIndex
        self.term = header.term
        self.timestamp = header.timestamp
    }
}
