import DiskIO
import LogModel
import LogState
import SegmentFormat

/// Where a log begins when DURABLE does not say.
extension LogFiles {
    /// The first segment that a node of a cluster must have, as the log itself says: what was trimmed stands in its
    /// checkpoints, and in the frames behind the last of them.
    ///
    /// - Parameter segments: The files that are there, ascending.
    /// - Complexity: Reads the last segment that begins with a whole checkpoint.
    func firstSegment(of segments: [SegmentID]) -> SegmentID {
        let last = segments.last { self.hasBegun($0) }
        let trimmed = last.flatMap { self.state(in: $0, frameCountMax: .max) ?? self.checkpointState(of: $0) }?
            .trimmedBefore
        return min(trimmed?.segment ?? .first, segments.first ?? .first)
    }

    /// Whether the segment's header and its first frame are whole.
    func hasBegun(_ segment: SegmentID) -> Bool { self.checkpointState(of: segment) != nil }

    /// `nil` when the segment's header or its checkpoint is not whole.
    func checkpointState(of segment: SegmentID) -> LogState? { self.state(in: segment, frameCountMax: 1) }

    /// The newest membership that the segments' checkpoints name; `nil` when none of them can be read.
    var lastMembership: Membership? {
        let names = (try? self.list()) ?? []
        return Self.segments(in: names).reversed().lazy.compactMap { self.checkpointState(of: $0)?.membership }.first
    }

    /// As of the last whole frame of so many; `nil` also when one of them does not fit the state before it.
    private func state(in segment: SegmentID, frameCountMax: Int) -> LogState? {
        guard let file = try? self.open(segment, .read), let end = try? file.byteCount(),
            let bytes = try? file.read(at: 0, count: SegmentHeader.byteCount),
            let header = try? SegmentHeader.decode(bytes.span.bytes), header.segment == segment
        else { return nil }
        var scan = SegmentScan(
            file, end: end, chain: SegmentScan.chain(before: header),
            index: SegmentIndex(segmentByteCountMax: EngineLimits.segmentByteCounts.lowerBound),
            tracker: StateTracker(), windowByteCount: EngineLimits.seekWindowByteCount)
        try? scan.run(frameCountMax: frameCountMax)
        return scan.tracker?.state
    }
}
