import DiskIO
import LogModel
import SegmentFormat
import SystemPackage

/// Segments that another node has whole.
extension RepairPlanning {
    /// Tries each damaged segment as the peer has it: it must be whole, and fit between its neighbours.
    mutating func planReplacements() throws(LogError) {
        guard let peer = self.options.peer else { return }
        var candidates: [SegmentID: LogAudit.Source] = [:]
        for segment in self.wantedSegments {
            let path = FilePath(peer).appending(segment.fileName)
            guard let length = try? self.repair.byteCount(path) else { continue }
            candidates[segment] = LogAudit.Source(
                path: path,
                byteCount: min(length, self.lengths[segment.rawValue] ?? self.length(of: segment) ?? length))
        }
        for (segment, source) in candidates { try self.addCutOne(before: segment, source, peer, &candidates) }
        while !candidates.isEmpty {
            var audit = LogAudit(self.files, sources: candidates, progress: self.progress)
            try audit.run()
            let unreadable = audit.report.segments.filter { $0.condition == .laterFormat }.map(\.id)
            let bad = (audit.report.damagedSegments + unreadable).filter { candidates[$0] != nil }
            if bad.isEmpty {
                self.mended = audit.report
                break
            }
            for segment in bad { candidates[segment] = nil }
        }
        self.sources = candidates
        for (segment, source) in candidates.sorted(by: { $0.key < $1.key }) {
            guard let byteCount = source.byteCount, let checksum = try self.repair.checksum(source.path, 0..<byteCount)
            else { continue }
            let exists = self.names.contains(segment.fileName)
            // Only its neighbour was bad.
            if exists, try self.repair.checksum(self.files.path(segment.fileName), byteCount: byteCount) == checksum {
                continue
            }
            try self.announceUnsynced(in: segment, from: byteCount)
            self.plan.actions.append(
                .replace(
                    segment: segment.rawValue, from: source.path.string, byteCount: byteCount, checksum: checksum,
                    keptAs: exists ? self.freeName(segment.fileName) : nil))
        }
        for segment in self.wantedSegments where candidates[segment] == nil {
            let path = FilePath(peer).appending(segment.fileName)
            self.plan.unknown.append(
                self.files.laterVersion(of: path).map {
                    "\(path.string) has format version \($0), which only a later release can take"
                } ?? "\(peer) has no \(segment.fileName) that is whole and fits")
        }
    }

    /// A segment that an unfinished repair has cut is whole in itself; the peer's next one says that it was longer.
    private func addCutOne(
        before segment: SegmentID, _ source: LogAudit.Source, _ peer: String,
        _ candidates: inout [SegmentID: LogAudit.Source]
    ) throws(LogError) {
        guard segment > .first else { return }
        let before = SegmentID(segment.rawValue - 1)
        guard candidates[before] == nil, self.names.contains(before.fileName),
            let bytes = try? self.files.fileSystem.open(source.path, .read).read(
                at: 0, count: SegmentHeader.byteCount),
            let header = try? SegmentHeader.decode(bytes.span.bytes), header.segment == segment,
            try self.repair.byteCount(self.files.path(before.fileName)) < Int(header.previousLength)
        else { return }
        candidates[before] = LogAudit.Source(
            path: FilePath(peer).appending(before.fileName), byteCount: Int(header.previousLength))
    }

    /// A peer's copy is taken as far as this node had synced; what stood behind leaves the log with the replaced file.
    mutating func announceUnsynced(in segment: SegmentID, from byteCount: Int) throws(LogError) {
        guard self.found.durable?.point.position.segment == segment, self.names.contains(segment.fileName) else {
            return
        }
        let end = try self.endOfData(of: segment, from: byteCount)
        // What continues the peer's copy stays.
        let follows =
            (try? self.files.open(segment.next, .read).read(at: 0, count: SegmentHeader.byteCount))
            .flatMap { try? SegmentHeader.decode($0.span.bytes) }
            .map { $0.segment == segment.next && Int($0.previousLength) == byteCount } ?? false
        let later =
            follows
            ? [] : self.found.segments.filter { $0.id > segment && self.names.contains($0.id.fileName) }
        guard end > byteCount || !later.isEmpty else { return }
        if !later.isEmpty { self.planGivingUp(later, behind: Position(segment.rawValue, UInt32(byteCount))) }
        guard end > byteCount else { return }
        self.losesUnsynced = true
        self.plan.needsAcceptance = self.plan.needsAcceptance || self.found.isCluster
        self.plan.unknown.append(
            "bytes \(byteCount)..<\(end) of \(segment.fileName) were written and not known to be synced: they leave the log, "
                + "and stay in the copy of the replaced file")
    }

    /// Segments that follow frames which the peer's copy does not have.
    private mutating func planGivingUp(_ later: [AuditReport.Segment], behind end: Position) {
        self.losesUnsynced = true
        self.plan.needsAcceptance = true
        let moved = later.reversed().map { segment in
            RepairPlan.Moved(name: segment.id.fileName, keptAs: self.freeName(segment.id.fileName))
        }
        let indexes = later.compactMap(\.firstIndex)
        self.plan.actions.append(
            .cut(
                to: RepairPlan.Cut(
                    segment: end.segment.rawValue, offset: Int(end.offset), piece: nil, segments: moved,
                    frameCount: later.reduce(0) { $0 + $1.frameCount },
                    byteCount: later.reduce(0) { $0 + $1.fileByteCount },
                    firstIndex: indexes.min()?.rawValue ?? 0, lastIndex: nil, wasCommitted: !self.found.isCluster)))
    }

    /// Where the last byte that is not zero ends; what the disk does not deliver counts as data.
    func endOfData(of segment: SegmentID, from offset: Int) throws(LogError) -> Int {
        let file = try self.files.open(segment, .read)
        let byteCount = try disk { () throws(DiskError) in try file.byteCount() }
        do throws(DiskError) {
            var window = FrameWindow(file, end: byteCount)
            return try window.endOfNonZero(from: offset)
        } catch {
            guard error.errno == .ioError else { throw LogError(error) }
            return byteCount
        }
    }

    /// How long a segment must be: what its successor says, or where the synced part ends.
    func length(of segment: SegmentID) -> Int? {
        if let durable = self.found.durable?.point.position, durable.segment == segment { return Int(durable.offset) }
        guard let file = try? self.files.open(segment.next, .read),
            let bytes = try? file.read(at: 0, count: SegmentHeader.byteCount),
            let header = try? SegmentHeader.decode(bytes.span.bytes)
        else { return nil }
        return Int(header.previousLength)
    }

    /// Segments that another node may have whole.
    var wantedSegments: [SegmentID] {
        self.found.damagedSegments.filter { !self.isOnlyTooLong($0) && !self.isOnlyFirst($0) }
    }

    /// Nothing is wrong in it, but that nobody knows what stood before.
    func isOnlyFirst(_ segment: SegmentID) -> Bool {
        self.found.findings.filter { $0.file == segment.fileName && $0.severity != .note }
            .allSatisfy { $0.fault == .beginning }
    }

    func isOnlyTooLong(_ segment: SegmentID) -> Bool {
        self.found.findings.filter { $0.file == segment.fileName && $0.severity != .note }.allSatisfy {
            if case .excess = $0.fault { true } else { false }
        }
    }
}
