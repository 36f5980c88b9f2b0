import DiskIO
import LogModel
import LogState
import SegmentFormat

/// Where a log begins when DURABLE does not say.
extension LogFiles {
    /// The first segment that a node of a cluster must have, as the log itself says: what was trimmed stands in its
    /// checkpoints. Of these the last one that can be read counts.
    ///
    /// - Parameter segments: The files that are there, ascending.
    func firstSegment(of segments: [SegmentID]) -> SegmentID {
        let state = segments.reversed().lazy.compactMap { self.checkpointState(of: $0) }.first
        let first = state?.trimmedBefore?.segment ?? .first
        return min(first, segments.first ?? .first)
    }

    /// `nil` when the segment's header or its checkpoint is not whole.
    private func checkpointState(of segment: SegmentID) -> LogState? {
        guard let file = try? self.open(segment, .read), let end = try? file.byteCount(),
            let bytes = try? file.read(at: 0, count: SegmentHeader.byteCount),
            let header = try? SegmentHeader.decode(bytes.span.bytes), header.segment == segment
        else { return nil }
        var scan = SegmentScan(
            file, end: end, chain: SegmentScan.chain(before: header),
            index: SegmentIndex(segmentByteCountMax: EngineLimits.segmentByteCounts.lowerBound),
            tracker: StateTracker(), windowByteCount: EngineLimits.seekWindowByteCount)
        try? scan.run(frameCountMax: 1)
        return scan.tracker?.state
    }
}
