import DiskIO
import LogModel
import LogState
import SegmentFormat

extension LogRecovery {
    /// Takes up the tail of a log of its own that was closed in an orderly way, without reading its last segment.
    ///
    /// DURABLE says where the last frame begins and what its header's checksum is. The file must end where DURABLE
    /// says, and that header must be there, good, and end there too: then tail, next index, term, time and chain are
    /// what the closer saw. The state is put together from the segment's checkpoint and the frame behind it, and
    /// taken only when its checksum is the one in DURABLE; so no frame that was not read can have changed it.
    ///
    /// - Returns: Whether all of that fits; if not, nothing has changed, and the segment is to be scanned.
    /// - Complexity: Reads a checkpoint, the frame behind it, and two headers.
    mutating func takeUp(_ segment: SegmentID) throws(LogError) -> Bool {
        guard
            self.followsState, let record = self.record, record.isClean, let end = record.end,
            record.durable.position.segment == segment, let stateChecksum = end.stateChecksum
        else { return false }
        let file = try self.files.open(segment, .read)
        let header = try self.header(of: segment, file)
        guard let chain = try self.chain(in: file, before: header, record: record, end: end) else { return false }
        var start = SegmentScan(
            file, end: Int(chain.tail.offset), chain: SegmentScan.chain(before: header), index: self.newIndex,
            tracker: StateTracker(), windowByteCount: EngineLimits.seekWindowByteCount)
        try disk { () throws(DiskError) in try start.run(frameCountMax: 2) }
        guard let state = start.tracker?.state else { return false }
        guard CRC32C.checksum(state.encoded().span.bytes) == stateChecksum else { return false }
        self.wasTakenUp = true
        self.state = state
        self.chain = chain
        self.scanned = RecoveryReport.Extent(
            byteCount: start.goodByteCount, frameCount: start.frameCount)
        self.layout.append(
            LogLayout.Segment(
                id: segment, firstIndex: header.firstIndex, byteCount: chain.tail.offset, index: start.index))
        return true
    }

    /// What comes behind the last frame, by its header alone; `nil` when anything differs from what DURABLE says.
    private func chain(
        in file: any File, before first: SegmentHeader, record: DurableRecord, end: DurableRecord.CleanEnd
    ) throws(LogError) -> FrameChain? {
        let tail = record.durable.position
        let bytes = try disk { () throws(DiskError) -> [UInt8]? in
            guard try file.byteCount() == Int(tail.offset) else { return nil }
            return try file.read(at: Int(end.lastFrameOffset), count: FrameHeader.producerByteCount)
        }
        guard
            let bytes, let header = try? FrameHeader.decode(bytes.span.bytes),
            header.headerChecksum == end.lastFrameChecksum, header.term == record.durable.term,
            Int(end.lastFrameOffset) + Int(header.length) == Int(tail.offset), header.firstIndex >= first.firstIndex
        else { return nil }
        return FrameChain(
            cluster: self.cluster, tail: tail, previousChecksum: header.headerChecksum, nextIndex: header.nextIndex,
            term: header.term, timestamp: header.timestamp, lastFrameOffset: end.lastFrameOffset)
    }
}
