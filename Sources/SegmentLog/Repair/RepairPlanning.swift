import DiskIO
import LogModel
import LogState
import SegmentFormat
import SystemPackage

/// Makes a ``RepairPlan``. Only reads. The same directory, and the same options, give the same plan.
struct RepairPlanning {
    private let repair: RepairFiles
    private let options: RepairPlan.Options
    private let names: [String]
    private let progress: (Int, Int) -> Void
    /// The directory as it is.
    private let found: AuditReport
    /// As it would be with the segments that a peer has.
    private var mended: AuditReport
    /// Frames above the durable position go with a replaced segment.
    private var losesUnsynced = false
    private var sources: [SegmentID: LogAudit.Source] = [:]
    private var plan: RepairPlan
    private var taken: Set<String>

    private var files: LogFiles { self.repair.files }

    static func plan(
        _ files: LogFiles, _ options: RepairPlan.Options, progress: @escaping (Int, Int) -> Void
    ) throws(LogError) -> RepairPlan {
        var planning = try RepairPlanning(files, options, progress)
        try planning.run()
        return planning.plan
    }

    private init(
        _ files: LogFiles, _ options: RepairPlan.Options, _ progress: @escaping (Int, Int) -> Void
    ) throws(LogError) {
        self.repair = RepairFiles(files: files)
        self.options = options
        self.progress = progress
        self.names = try files.list()
        self.taken = Set(self.names)
        var audit = LogAudit(files, progress: progress)
        try audit.run()
        self.found = audit.report
        self.mended = audit.report
        self.plan = RepairPlan(
            options: options, starts: audit.report.identity?.starts, isCluster: audit.report.isCluster, seen: [],
            findings: audit.report.findings.filter { $0.severity != .note }.map {
                $0.range.isEmpty
                    ? "\($0.file): \($0.words)"
                    : "\($0.file) bytes \($0.range.lowerBound)..<\($0.range.upperBound): \($0.words)"
            }, actions: [], unresolved: [], unknown: [], needsAcceptance: false)
    }

    private mutating func run() throws(LogError) {
        try self.see()
        guard self.found.isDamaged || self.options.node != nil else { return }
        try self.planReplacements()
        self.planBeginning()
        try self.planShortening()
        let cut = try self.planCut()
        self.planVotes(cut)
        try self.planDurable(cut)
        self.planIdentity()
    }

    /// A name that nothing has: copies never replace earlier ones.
    private mutating func freeName(_ name: String) -> String {
        var result = name + ".damaged"
        var number = 2
        while !self.taken.insert(result).inserted {
            result = "\(name).damaged-\(number)"
            number += 1
        }
        return result
    }

    private mutating func see() throws(LogError) {
        let small: Set<String> = [LogFiles.identity, LogFiles.durable, LogFiles.vote]
        for name in self.names {
            let isSegment = !LogFiles.segments(in: [name]).isEmpty
            guard isSegment || small.contains(name) else { continue }
            let path = self.files.path(name)
            let byteCount = try self.repair.byteCount(path)
            var checksum: UInt32?
            if !isSegment { checksum = try self.repair.checksum(path, 0..<byteCount) }
            for finding in self.found.findings where isSegment && finding.file == name {
                let range = finding.range.clamped(to: 0..<byteCount)
                // What the disk refuses to read is seen by its size alone.
                let part = try self.repair.checksum(path, range) ?? 0
                var bytes: [UInt8] = []
                bytes.append(littleEndian: part)
                checksum = CRC32C.checksum(bytes.span.bytes, extending: checksum ?? 0)
            }
            self.plan.seen.append(RepairPlan.Seen(name: name, byteCount: byteCount, checksum: checksum))
        }
    }

    // MARK: Segments

    /// Tries each damaged segment as the peer has it: it must be whole, and fit between its neighbours.
    private mutating func planReplacements() throws(LogError) {
        guard let peer = self.options.peer else { return }
        var candidates: [SegmentID: LogAudit.Source] = [:]
        for segment in self.wantedSegments {
            let path = FilePath(peer).appending(segment.fileName)
            guard let length = try? self.repair.byteCount(path) else { continue }
            candidates[segment] = LogAudit.Source(
                path: path, byteCount: min(length, self.length(of: segment) ?? length))
        }
        while !candidates.isEmpty {
            var audit = LogAudit(self.files, sources: candidates, progress: self.progress)
            try audit.run()
            let bad = audit.report.damagedSegments.filter { candidates[$0] != nil }
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
            self.plan.unknown.append("\(peer) has no \(segment.fileName) that is whole and fits")
        }
    }

    /// A peer's copy is taken as far as this node had synced; what stood behind leaves the log with the replaced file.
    private mutating func announceUnsynced(in segment: SegmentID, from byteCount: Int) throws(LogError) {
        guard self.found.durable?.point.position.segment == segment, self.names.contains(segment.fileName) else {
            return
        }
        let end = try self.endOfData(of: segment, from: byteCount)
        guard end > byteCount else { return }
        self.losesUnsynced = true
        self.plan.needsAcceptance = self.plan.needsAcceptance || self.found.isCluster
        self.plan.unknown.append(
            "bytes \(byteCount)..<\(end) of \(segment.fileName) were written and not known to be synced: they leave the log, "
                + "and stay in the copy of the replaced file")
    }

    /// Where the last byte that is not zero ends; what the disk does not deliver counts as data.
    private func endOfData(of segment: SegmentID, from offset: Int) throws(LogError) -> Int {
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
    private func length(of segment: SegmentID) -> Int? {
        if let durable = self.found.durable?.point.position, durable.segment == segment { return Int(durable.offset) }
        guard let file = try? self.files.open(segment.next, .read),
            let bytes = try? file.read(at: 0, count: SegmentHeader.byteCount),
            let header = try? SegmentHeader.decode(bytes.span.bytes)
        else { return nil }
        return Int(header.previousLength)
    }

    /// Segments that another node may have whole.
    private var wantedSegments: [SegmentID] {
        self.found.damagedSegments.filter { !self.isOnlyTooLong($0) && !self.isOnlyFirst($0) }
    }

    /// Nothing is wrong in it, but that nobody knows what stood before.
    private func isOnlyFirst(_ segment: SegmentID) -> Bool {
        self.found.findings.filter { $0.file == segment.fileName && $0.severity != .note }
            .allSatisfy { $0.fault == .beginning }
    }

    private func isOnlyTooLong(_ segment: SegmentID) -> Bool {
        self.found.findings.filter { $0.file == segment.fileName && $0.severity != .note }.allSatisfy {
            if case .excess = $0.fault { true } else { false }
        }
    }

    private mutating func planShortening() throws(LogError) {
        for finding in self.mended.findings {
            guard case .excess(let expected) = finding.fault, finding.severity == .damage else { continue }
            if let piece = try self.piece(finding.file, from: expected) { self.plan.actions.append(.shorten(piece)) }
        }
    }

    private mutating func piece(_ name: String, from offset: Int) throws(LogError) -> RepairPlan.Piece? {
        let path = self.files.path(name)
        let byteCount = try self.repair.byteCount(path) - offset
        guard byteCount > 0 else { return nil }
        let checksum = try self.repair.checksum(path, offset..<offset + byteCount)
        return RepairPlan.Piece(
            name: name, offset: offset, byteCount: byteCount, checksum: checksum,
            keptAs: self.freeName(checksum == nil ? name : "\(name).from-\(offset)"))
    }

    /// What is left of the damage ends the log.
    private mutating func planCut() throws(LogError) -> Position? {
        let left = self.mended.findings.filter { finding in
            if case .excess = finding.fault { return false }
            if finding.fault == .beginning { return false }
            let isSegment = !LogFiles.segments(in: [finding.file]).isEmpty
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
    private var isEndKnown: Bool {
        guard let durable = self.found.durable?.point.position else {
            return self.mended.segments.last?.nextIndex != nil
        }
        return self.mended.segments.contains {
            $0.id == durable.segment && $0.nextIndex != nil && $0.byteCount >= Int(durable.offset)
        }
    }

    /// Whole frames before a position in its segment.
    private func frameCount(of end: Position) throws(LogError) -> Int {
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
    private mutating func planBeginning() {
        guard let finding = self.mended.findings.first(where: { $0.fault == .beginning }) else { return }
        self.plan.needsAcceptance = true
        let first = self.mended.segments.first { $0.id.fileName == finding.file }?.firstIndex
        self.plan.unknown.append(
            "the log would begin with \(finding.file)\(first.map { ", record \($0)" } ?? ""): whether what stood before was "
                + "trimmed or is lost, only DURABLE could tell")
    }

    // MARK: The files beside them

    private mutating func planVotes(_ cut: Position?) {
        guard self.found.isCluster else { return }
        let isVoteDamaged = self.found.findings.contains { $0.file == LogFiles.vote && $0.severity == .damage }
        if isVoteDamaged {
            self.plan.unknown.append(
                "VOTE is not repaired: whom this node voted for is unknown. Started, it stores the log, and neither votes nor "
                    + "leads before it holds what a leader has committed; that leader the others must elect")
        } else if cut != nil || self.found.durable == nil || self.losesUnsynced {
            // First of all: whatever is done of the rest, and whatever is planned then, the node is barred.
            self.plan.actions.insert(.bar, at: 0)
        }
    }

    private mutating func planDurable(_ cut: Position?) throws(LogError) {
        guard cut != nil || self.found.durable == nil else { return }
        guard let chain = self.mended.soundChain,
            let first = self.mended.segments.first(where: { $0.condition != .trimmed })
        else {
            if self.plan.unresolved.isEmpty {
                self.plan.unresolved.append("DURABLE cannot be made again: no segment is whole")
            }
            return
        }
        if self.found.durable == nil {
            self.plan.unknown.append(
                "DURABLE is unreadable: how far the log was synced and committed is unknown. The log ends at \(chain.tail), "
                    + "where its last whole frame ends; records that were acknowledged may have stood behind")
        }
        let known: Position
        if let commit = self.found.durable?.commit {
            known = min(commit, chain.tail)
        } else {
            known = min(try self.endOfCheckpoint(first.id), chain.tail)
        }
        self.plan.actions.append(
            .writeDurable(
                RepairPlan.NewDurable(
                    term: chain.term.rawValue, segment: chain.tail.segment.rawValue, offset: chain.tail.offset,
                    commitSegment: known.segment.rawValue, commitOffset: known.offset,
                    first: self.found.durable?.first.rawValue ?? first.id.rawValue),
                keptAs: self.names.contains(LogFiles.durable) ? self.freeName(LogFiles.durable) : nil))
    }

    /// A log is trimmed only up to where it is committed: its first checkpoint is.
    private func endOfCheckpoint(_ segment: SegmentID) throws(LogError) -> Position {
        let start = Position(segment: segment, offset: UInt32(SegmentHeader.byteCount))
        let source = self.sources[segment]?.path ?? self.files.path(of: segment)
        let bytes = try disk { () throws(DiskError) in
            try self.files.fileSystem.open(source, .read).read(
                at: Int(start.offset), count: FrameHeader.producerByteCount)
        }
        return start.advanced(by: Int((try? FrameHeader.decode(bytes.span.bytes))?.length ?? 0))
    }

    private mutating func planIdentity() {
        let isDamaged = self.found.findings.contains { $0.file == LogFiles.identity && $0.severity == .damage }
        let isOther = self.options.node.map { self.found.identity?.node != NodeID($0) } ?? false
        guard isDamaged || isOther else { return }
        if let identity = self.found.identity, let node = self.options.node {
            self.plan.findings.append("IDENTITY says that this is node \(identity.node), and not node \(node)")
        }
        guard let node = self.options.node else {
            self.plan.unresolved.append("IDENTITY does not say whose directory this is: --plan --node N must")
            return
        }
        guard let cluster = self.mended.cluster else {
            self.plan.unresolved.append("no segment's header says which cluster this is")
            return
        }
        var incarnation = Incarnation(self.options.incarnation)
        if self.found.isCluster {
            guard let member = self.mended.state?.membership.member(NodeID(node)) else {
                self.plan.unresolved.append(
                    "the log does not name a node \(node) among the cluster's members, so its incarnation is unknown")
                return
            }
            incarnation = member.incarnation
            self.plan.unknown.append(
                "whether this was the directory of node \(node): the log is the same in each, so make sure of it")
        } else {
            self.plan.unknown.append("the incarnation in IDENTITY was random, and is a new one")
        }
        guard isDamaged else {
            return self.planIdentity(
                cluster, node, incarnation, starts: self.found.identity?.starts ?? Self.startsAfterLoss)
        }
        self.plan.unknown.append(
            "how often the directory was opened is unknown: counted on from \(Self.startsAfterLoss)")
        self.planIdentity(cluster, node, incarnation, starts: Self.startsAfterLoss)
    }

    private mutating func planIdentity(
        _ cluster: ClusterID, _ node: UInt32, _ incarnation: Incarnation, starts: UInt64
    ) {
        self.plan.actions.append(
            .writeIdentity(
                RepairPlan.NewIdentity(
                    cluster: cluster.description, node: node, incarnation: incarnation.rawValue, starts: starts),
                keptAs: self.names.contains(LogFiles.identity) ? self.freeName(LogFiles.identity) : nil))
    }

    /// Above any count that a directory ever reached, so that no two starts have one number.
    private static let startsAfterLoss: UInt64 = 1_000_000_000
}
