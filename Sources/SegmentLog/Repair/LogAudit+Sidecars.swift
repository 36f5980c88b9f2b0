import DiskIO
import LogModel
import SegmentFormat
import SystemPackage

/// The files beside the segments.
extension LogAudit {
    mutating func checkSidecars(_ names: [String]) throws(LogError) {
        self.readIdentity(names: names)
        self.readDurable(names: names)
        self.readVotes(names: names)
        for name in names where name != LogFiles.lock && !LogFiles.isSidecar(name) {
            // Indexes come and go beside their segments.
            if !LogFiles.isSegment(name), !LogFiles.isIndex(name) { self.add(self.finding(of: name)) }
        }
    }

    private func finding(of name: String) -> AuditFinding {
        let leftover = AuditLeftover(name)
        // A node does not start with it.
        if leftover == .first, let version = self.files.laterVersion(of: self.files.path(name)) {
            let defect = FrameDefect.format(.unsupportedVersion(version))
            return AuditFinding(name, 0..<SegmentHeader.byteCount, .frame(defect), .laterFormat)
        }
        return AuditFinding(name, 0..<0, .leftover(leftover), .note)
    }

    private mutating func readIdentity(names: [String]) {
        guard names.contains(LogFiles.identity) else {
            self.add(AuditFinding(LogFiles.identity, 0..<0, .missing, .damage))
            return
        }
        guard let bytes = self.contents(LogFiles.identity, byteCountMax: NodeIdentity.byteCountMax) else { return }
        guard let identity = NodeIdentity(decoding: bytes) else {
            self.add(AuditFinding(LogFiles.identity, 0..<bytes.count, .unreadable, .damage))
            return
        }
        self.report.identity = identity
        self.report.cluster = identity.cluster
        guard identity.cluster == nil else { return }
        let segments = LogFiles.segments(in: names)
        // What forming leaves when it is cut off is nobody's.
        if !segments.isEmpty, (try? self.files.isHalfFormed(segments)) != true {
            self.add(AuditFinding(LogFiles.identity, 0..<bytes.count, .namesNoCluster, .damage))
        }
    }

    mutating func readDurable(names: [String]) {
        guard names.contains(LogFiles.durable) else {
            self.add(AuditFinding(LogFiles.durable, 0..<0, .missing, .damage))
            return
        }
        guard let bytes = self.contents(LogFiles.durable, byteCountMax: DurableFile.byteCount) else { return }
        guard let slot = Slot.newest(of: bytes, at: DurableFile.offsets, magic: DurableFile.magic) else {
            self.add(AuditFinding(LogFiles.durable, 0..<bytes.count, .unreadable, .damage))
            return
        }
        self.checkSlots(LogFiles.durable, bytes, DurableFile.offsets, magic: DurableFile.magic)
        let record = DurableRecord(slot)
        // As when a log is opened: a formed one was synced before its cluster stood in IDENTITY.
        guard self.report.cluster == nil || record.durable.position > .zero else {
            self.add(AuditFinding(LogFiles.durable, 0..<bytes.count, .unreadable, .damage))
            return
        }
        self.report.durable = AuditReport.Durable(
            point: record.durable, commit: record.commit, first: record.first, isClean: record.isClean)
    }

    private mutating func readVotes(names: [String]) {
        guard names.contains(LogFiles.vote),
            let bytes = self.contents(LogFiles.vote, byteCountMax: VoteFile.byteCount)
        else { return }
        guard let newest = Slot.newest(of: bytes, at: VoteFile.offsets, magic: VoteFile.magic) else {
            self.add(AuditFinding(LogFiles.vote, 0..<bytes.count, .unreadable, .damage))
            return
        }
        self.report.votes = VoteSlot(newest)
        self.checkSlots(LogFiles.vote, bytes, VoteFile.offsets, magic: VoteFile.magic)
    }

    /// One slot is enough; the other may have been torn while it was written, and was never written in a new file.
    private mutating func checkSlots(_ name: String, _ bytes: [UInt8], _ offsets: [Int], magic: UInt32) {
        for (number, offset) in offsets.enumerated() {
            let end = min(offset + Slot.byteCount, bytes.count)
            let slot = offset < end ? Array(bytes[offset..<end]) : []
            if Slot.decode(slot.span.bytes, magic: magic) == nil, slot.contains(where: { $0 != 0 }) {
                self.add(AuditFinding(name, offset..<end, .slot(number), .note))
            }
        }
    }

    private mutating func contents(_ name: String, byteCountMax: Int) -> [UInt8]? {
        do throws(DiskError) {
            return try self.files.fileSystem.open(self.files.path(name), .read).read(at: 0, count: byteCountMax)
        } catch {
            self.add(AuditFinding(name, 0..<0, .refused(errno: error.errno.rawValue), .damage))
            return nil
        }
    }
}

extension AuditLeftover {
    init(_ name: String) {
        self =
            if LogFiles.isTemporary(name) {
                .temporary
            } else if LogFiles.isKept(name) || LogFiles.isOfEarlierGeneration(name) {
                .setAside
            } else if [RepairPlan.fileName, RepairPlan.appliedFileName].contains(name) {
                .repairPlan
            } else if name == RepairPlan.begunFileName {
                .begunRepair
            } else if LogFiles.beginning(in: [name]) != nil {
                .first
            } else {
                .foreign
            }
    }
}
