import DiskIO
import LogModel
import LogState
import SegmentFormat

extension SegmentID {
    static let beginningFileSuffix = ".first"
    /// `000007.wal.first`: the log is to begin with it.
    var beginningFileName: String { self.fileName + Self.beginningFileSuffix }
    /// While it is being copied.
    var beginningCopyName: String { self.beginningFileName + ".tmp" }
}

/// Carries out what ``FirstSegmentCopy`` decided.
extension LogFiles {
    /// The segment with which the log is to begin; `nil` when nothing was decided.
    static func beginning(in names: [String]) -> SegmentID? {
        let suffix = SegmentID.beginningFileSuffix
        return Self.segments(in: names.filter { $0.hasSuffix(suffix) }.map { String($0.dropLast(suffix.count)) }).last
    }

    func cancelBeginning(_ segment: SegmentID) {
        // What cannot be removed now goes at the next start.
        try? self.remove(segment.beginningCopyName)
    }

    /// Makes the copy the log, step by step: each may be cut off, and the next opening begins again with the first.
    ///
    /// 1. DURABLE says that all of the copy is synced and committed, and that the log begins with it: of older segments
    ///    nothing is looked at any more.
    /// 2. All segments go, and the directory is synced: none may come back behind the new one.
    /// 3. A blank directory gets its cluster.
    /// 4. The copy gets its name.
    ///
    /// - Throws: ``LogError/damaged(_:)`` when the copy is not what was decided on; nothing was changed then.
    ///   ``LogError/noSpace``, ``LogError/storage(_:)``.
    func carryOutBeginning(_ segment: SegmentID, _ identity: inout NodeIdentity) throws(LogError) {
        let file = try self.open(segment.beginningFileName, .read)
        let chain: FrameChain
        do throws(LogError) {
            chain = try self.beginning(file, of: segment, cluster: identity.cluster)
        } catch {
            guard case .rejected(let fault, let position) = error else { throw error }
            let end = try disk { () throws(DiskError) in try file.byteCount() }
            throw .damaged(Damage(segment, Int(position.offset)..<max(end, Int(position.offset)), .fault(fault)))
        }
        let record = DurableRecord(durable: chain.point, commit: chain.tail, first: segment, isClean: false)
        try self.replace(Self.durable, with: record.fileBytes)
        for old in Self.segments(in: try self.list()) {
            self.removeIndexFile(of: old)
            try self.remove(old.fileName)
        }
        try self.syncDirectory()
        if identity.cluster == nil {
            identity.cluster = chain.cluster
            try self.replace(Self.identity, with: identity.encoded())
        }
        try self.rename(segment.beginningFileName, to: segment.fileName)
        try self.syncDirectory()
    }

    /// Where a log ends that consists of this file alone.
    ///
    /// - Parameter cluster: `nil` trusts the header.
    /// - Throws: See ``FirstSegmentCopy/verified()``.
    func beginning(
        _ file: any File, of segment: SegmentID, cluster: ClusterID?
    ) throws(LogError) -> FrameChain {
        let (end, bytes) = try disk { () throws(DiskError) in
            (try file.byteCount(), try file.read(at: 0, count: SegmentHeader.byteCount))
        }
        let start = Position(segment: segment, offset: 0)
        let header: SegmentHeader
        do throws(FormatError) {
            header = try SegmentHeader.decode(bytes.span.bytes)
        } catch {
            throw LogError(headerOfCopy: error, of: segment)
        }
        if let cluster, header.cluster != cluster {
            throw .foreignDirectory(.cluster(found: header.cluster, expected: cluster))
        }
        guard header.segment == segment else {
            throw .rejected(FrameFault(.wrongSegment(expected: segment, found: header.segment)), at: start)
        }
        var scan = SegmentScan(
            file, end: end, chain: SegmentScan.chain(before: header),
            index: SegmentIndex(segmentByteCountMax: EngineLimits.segmentByteCounts.lowerBound), tracker: StateTracker()
        )
        try disk { () throws(DiskError) in try scan.run() }
        guard scan.defect == nil, scan.frameCount > 0, scan.goodByteCount == end else {
            let position = start.advanced(by: scan.goodByteCount)
            throw .rejected(FrameFault(scan.defect ?? .endOfData), at: position)
        }
        guard scan.tracker?.state != nil else { throw .unsupportedCheckpoint(segment) }
        return scan.chain
    }
}
