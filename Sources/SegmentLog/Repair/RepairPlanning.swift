import LogModel
import SegmentFormat

/// Makes a ``RepairPlan``. Only reads. The same directory, and the same options, give the same plan.
struct RepairPlanning {
    let repair: RepairFiles
    let options: RepairPlan.Options
    let names: [String]
    let progress: (Int, Int) -> Void
    /// The directory as it is.
    let found: AuditReport
    /// As it would be with the segments that a peer has.
    var mended: AuditReport
    /// Frames above the durable position go with a replaced segment.
    var losesUnsynced = false
    var sources: [SegmentID: LogAudit.Source] = [:]
    /// How much of a peer's segments an earlier plan takes.
    var lengths: [UInt32: Int] = [:]
    var plan: RepairPlan
    var taken: Set<String>

    var files: LogFiles { self.repair.files }

    static func plan(
        _ files: LogFiles, _ options: RepairPlan.Options, lengths: [UInt32: Int] = [:],
        progress: @escaping (Int, Int) -> Void
    ) throws(LogError) -> RepairPlan {
        var planning = try RepairPlanning(files, options, progress)
        planning.lengths = lengths
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

    mutating func run() throws(LogError) {
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
    mutating func freeName(_ name: String) -> String {
        var result = name + ".damaged"
        var number = 2
        while !self.taken.insert(result).inserted {
            result = "\(name).damaged-\(number)"
            number += 1
        }
        return result
    }

    mutating func see() throws(LogError) {
        let small: Set<String> = [LogFiles.identity, LogFiles.durable, LogFiles.vote]
        for name in self.names {
            let isSegment = LogFiles.isSegment(name)
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
}
