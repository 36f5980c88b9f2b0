import DiskIO
import LogModel
import SegmentFormat

/// What is left of the damage: it ends the log.
extension RepairPlanning {
    mutating func planShortening() throws(LogError) {
        for finding in self.mended.findings {
            guard case .excess(let expected) = finding.fault, finding.severity == .damage else { continue }
            if let piece = try self.piece(finding.file, from: expected) { self.plan.actions.append(.shorten(piece)) }
        }
    }

    mutating func piece(_ name: String, from offset: Int) throws(LogError) -> RepairPlan.Piece? {
        let path = self.files.path(name)
        let byteCount = try self.repair.byteCount(path) - offset
        guard byteCount > 0 else { return nil }
        let checksum = try self.repair.checksum(path, offset..<offset + byteCount)
        return RepairPlan.Piece(
            name: name, offset: offset, byteCount: byteCount, checksum: checksum,
            keptAs: self.freeName(checksum == nil ? name : "\(name).from-\(offset)"))
    }

    /// What is left of the damage ends the log.
    mutating func planCut() throws(LogError) -> Position? {
        let left = self.mended.findings.filter { finding in
            if case .excess = finding.fault { return false }
            if finding.fault == .beginning { return false }
            let isSegment = LogFiles.isSegment(finding.file)
            return isSegment && (finding.severity == .damage || finding.severity == .unclear)
        }
        guard !left.isEmpty else { return nil }
        guard let chain = self.mended.soundChain else {
            self.plan.unresolved.append(
                "not even the first checkpoint is whole: nothing of the log would be left; take it from another node's directory with --plan --peer DIR"
            )
            return nil
        }
        let end = chain.tail
        let name = end.segment.fileName
        // Taken from a peer, it is no longer than that.
        let isTaken = self.plan.actions.contains {
            if case .replace(end.segment.rawValue, _, _, _, _) = $0 { true } else { false }
        }
        let piece = isTaken ? nil : try self.piece(name, from: Int(end.offset))
        let behind = self.mended.segments.filter { $0.id > end.segment && self.names.contains($0.id.fileName) }
        let frames = try self.frameCount(of: end)
        let all = self.mended.segments.first { $0.id == end.segment }?.frameCount ?? frames
        let lastIndex =
            self.isEndKnown ? self.mended.segments.compactMap { $0.nextIndex?.rawValue }.max().map { $0 - 1 } : nil
        // In a log of its own, what was synced was acknowledged.
        let acknowledged = self.found.isCluster ? self.found.durable?.commit : self.found.durable?.point.position
        let wasCommitted = acknowledged.map { end < $0 } ?? true
        var moved: [RepairPlan.Moved] = []
        for segment in behind.reversed() {
            moved.append(
                RepairPlan.Moved(name: segment.id.fileName, keptAs: self.freeName(segment.id.fileName)))
        }
        self.plan.needsAcceptance = self.plan.needsAcceptance || wasCommitted
        self.plan.actions.append(
            .cut(
                to: RepairPlan.Cut(
                    segment: end.segment.rawValue, offset: Int(end.offset), piece: piece, segments: moved,
                    frameCount: max(0, all - frames) + behind.reduce(0) { $0 + $1.frameCount },
                    byteCount: (piece?.byteCount ?? 0) + behind.reduce(0) { $0 + $1.fileByteCount },
                    firstIndex: chain.nextIndex.rawValue,
                    lastIndex: lastIndex.flatMap { $0 >= chain.nextIndex.rawValue ? $0 : nil },
                    wasCommitted: wasCommitted)))
        return end
    }

    /// Whether the frames that are left go as far as the log was synced: else nobody knows which record was the last.
    var isEndKnown: Bool {
        guard let durable = self.found.durable?.point.position else {
            return self.mended.segments.last?.nextIndex != nil
        }
        return self.mended.segments.contains {
            $0.id == durable.segment && $0.nextIndex != nil && $0.byteCount >= Int(durable.offset)
        }
    }

    /// Whole frames before a position in its segment.
    func frameCount(of end: Position) throws(LogError) -> Int {
        let source = self.sources[end.segment]?.path ?? self.files.path(of: end.segment)
        let file = try disk { () throws(DiskError) in try self.files.fileSystem.open(source, .read) }
        var audit = SegmentAudit(
            file, byteCount: Int(end.offset),
            terms: SegmentAudit.Terms(segment: end.segment, expectedByteCount: nil, syncedByteCount: 0), cluster: nil,
            chain: nil, state: nil, progress: { _ in })
        try disk { () throws(DiskError) in try audit.run() }
        return audit.frameCount
    }

    /// Without DURABLE a log of its own begins with what is there, for better or worse.
    mutating func planBeginning() {
        guard let finding = self.mended.findings.first(where: { $0.fault == .beginning }) else { return }
        self.plan.needsAcceptance = true
        let first = self.mended.segments.first { $0.id.fileName == finding.file }?.firstIndex
        self.plan.unknown.append(
            "the log would begin with \(finding.file)\(first.map { ", record \($0)" } ?? ""): whether what stood before was "
                + "trimmed or is lost, only DURABLE could tell")
    }
}
