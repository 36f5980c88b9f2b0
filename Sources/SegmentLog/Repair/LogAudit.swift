import DiskIO
import LogModel
import LogState
import SegmentFormat
import SystemPackage

/// Checks everything in a log's directory; only reads, takes no lock, and may run beside the node that writes there.
///
/// What was synced is told apart from what was not by DURABLE as it stood before the first segment was read: a running
/// node only ever adds behind that, unless it truncates or trims meanwhile, which the caller sees by looking again.
package struct LogAudit {
    /// Reads a segment's bytes from another place, for "what if": see ``RepairPlan``.
    package struct Source: Hashable, Sendable {
        package var path: FilePath
        /// Of the file, the first so many bytes.
        package var byteCount: Int?
        package init(path: FilePath, byteCount: Int? = nil) {
            self.path = path
            self.byteCount = byteCount
        }
    }

    let files: LogFiles
    let sources: [SegmentID: Source]
    let progress: (_ done: Int, _ total: Int) -> Void

    var report = AuditReport()
    private var total = 0
    private var chain: FrameChain?
    private var state: LogState?
    /// Damage was found, and ``AuditReport/soundChain`` is final.
    private var isSoundOver = false

    init(
        _ files: LogFiles, sources: [SegmentID: Source] = [:], progress: @escaping (Int, Int) -> Void = { _, _ in }
    ) {
        self.files = files
        self.sources = sources
        self.progress = progress
    }

    /// Checks a directory.
    ///
    /// - Parameters:
    ///   - isRunning: Somebody is writing there: when damage is found and DURABLE has gone back meanwhile, it is looked
    ///     at again.
    ///   - progress: Bytes done, and bytes in all.
    /// - Throws: ``LogError/storage(_:)`` when the directory itself cannot be read. What cannot be read in it is a finding.
    /// - Complexity: Every byte is read once; memory is a megabyte, or one frame.
    package static func run(
        _ directory: FilePath, fileSystem: any FileSystem = LinuxFileSystem(), isRunning: Bool = false,
        progress: @escaping (Int, Int) -> Void = { _, _ in }
    ) throws(LogError) -> AuditReport {
        let files = LogFiles(fileSystem: fileSystem, directory: directory)
        var attempts = isRunning ? 3 : 1
        while true {
            var audit = LogAudit(files, progress: progress)
            try audit.run()
            attempts -= 1
            if attempts == 0 || !audit.report.isDamaged { return audit.report }
        }
    }

    /// Checks one segment file by itself, with what DURABLE beside it says, if there is one.
    package static func run(
        segment: SegmentID, file: FilePath, in directory: FilePath, fileSystem: any FileSystem = LinuxFileSystem(),
        progress: @escaping (Int, Int) -> Void = { _, _ in }
    ) throws(LogError) -> AuditReport {
        let files = LogFiles(fileSystem: fileSystem, directory: directory)
        var audit = LogAudit(files, sources: [segment: Source(path: file)], progress: progress)
        audit.readDurable(names: try files.list())
        audit.report.findings = []
        audit.total = audit.length(of: segment)
        try audit.check(
            segment, next: nil, isLast: (audit.report.durable?.point.position.segment ?? segment) <= segment)
        return audit.report
    }

    mutating func run() throws(LogError) {
        let names = try self.files.list()
        try self.checkSidecars(names)
        var segments = Set(LogFiles.segments(in: names)).union(self.sources.keys).sorted()
        if let first = self.report.durable?.first ?? self.beginning(of: segments, names) {
            for segment in segments where segment < first {
                self.report.segments.append(AuditReport.Segment(id: segment, condition: .trimmed))
                self.add(AuditFinding(segment.fileName, 0..<0, .trimmed, .note))
            }
            segments.removeAll { $0 < first }
            self.missing(from: first, to: segments.first ?? first.next)
        }
        self.checkBeginning(segments, names)
        self.total = segments.reduce(0) { $0 + self.length(of: $1) }
        for (place, segment) in segments.enumerated() {
            if place > 0 { self.missing(from: segments[place - 1].next, to: segment) }
            let next = place + 1 < segments.count && segments[place + 1] == segment.next ? segment.next : nil
            try self.check(segment, next: next, isLast: place + 1 == segments.count)
        }
        self.checkReach(last: segments.last)
        self.report.isCluster =
            names.contains(LogFiles.vote) || self.report.membership.map { !$0.voters.isEmpty } ?? false
        if self.report.isCluster, !names.contains(LogFiles.vote) {
            self.add(AuditFinding(LogFiles.vote, 0..<0, .missing, .damage))
        }
    }

    /// Where the log begins when DURABLE does not say; `nil` in a log of its own, of which nothing tells what was trimmed.
    private func beginning(of segments: [SegmentID], _ names: [String]) -> SegmentID? {
        names.contains(LogFiles.vote) && !segments.isEmpty ? self.files.firstSegment(of: segments) : nil
    }

    private mutating func checkBeginning(_ segments: [SegmentID], _ names: [String]) {
        guard self.report.durable == nil, !names.contains(LogFiles.vote), let first = segments.first, first > .first
        else { return }
        self.add(AuditFinding(first.fileName, 0..<0, .beginning, .unclear))
    }

    mutating func add(_ finding: AuditFinding) { self.report.findings.append(finding) }

    private mutating func missing(from first: SegmentID, to end: SegmentID) {
        guard first < end else { return }
        // Above what was synced a file without those before it is not reached, and nobody misses them.
        let synced = self.report.durable?.point.position.segment.next ?? end
        if max(first, synced) < end {
            self.add(
                AuditFinding(
                    end.fileName, 0..<0, .unreachable(missing: Int(end.rawValue - max(first, synced).rawValue)), .tail))
        }
        for number in first.rawValue..<max(first.rawValue, min(end.rawValue, synced.rawValue, first.rawValue + 1000)) {
            let segment = SegmentID(number)
            self.report.segments.append(AuditReport.Segment(id: segment, condition: .missing))
            self.add(AuditFinding(segment.fileName, 0..<0, .missing, .damage))
        }
        self.isSoundOver = true
        self.chain = nil
        self.state = nil
    }

    /// Whether the files go as far as DURABLE says.
    private mutating func checkReach(last: SegmentID?) {
        guard let durable = self.report.durable?.point.position, durable > .zero else { return }
        if let last {
            self.missing(from: last.next, to: durable.segment.next)
        } else if self.report.identity?.cluster != nil {
            self.missing(from: (self.report.durable?.first ?? .first).next, to: durable.segment.next)
        }
    }

    // MARK: Segments

    func source(of segment: SegmentID) -> Source {
        self.sources[segment] ?? Source(path: self.files.path(of: segment))
    }

    private func length(of segment: SegmentID) -> Int {
        let source = self.source(of: segment)
        let length = (try? self.files.fileSystem.open(source.path, .read).byteCount()) ?? 0
        return min(length, source.byteCount ?? .max)
    }

    /// What the next segment's header, if it is whole, says about the length of the one before.
    private func previousLength(in next: SegmentID) -> Int? {
        guard let file = try? self.files.fileSystem.open(self.source(of: next).path, .read),
            let bytes = try? file.read(at: 0, count: SegmentHeader.byteCount),
            let header = try? SegmentHeader.decode(bytes.span.bytes), header.segment == next
        else { return nil }
        return Int(header.previousLength)
    }

    private mutating func check(_ segment: SegmentID, next: SegmentID?, isLast: Bool) throws(LogError) {
        let durable = self.report.durable?.point.position
        let isSealed = durable.map { segment < $0.segment } ?? !isLast
        let expected = isSealed ? next.flatMap { self.previousLength(in: $0) } : nil
        let length = self.length(of: segment)
        let synced: Int? =
            if isSealed { .max } else if let durable { durable.segment == segment ? Int(durable.offset) : 0 } else {
                nil
            }
        var result = AuditReport.Segment(id: segment, fileByteCount: length, condition: .good)
        let before = self.report.byteCount
        do throws(DiskError) {
            let file = try self.files.fileSystem.open(self.source(of: segment).path, .read)
            let total = self.total
            var done = before
            let progress = self.progress
            var audit = SegmentAudit(
                file, byteCount: length,
                terms: SegmentAudit.Terms(segment: segment, expectedByteCount: expected, syncedByteCount: synced),
                cluster: self.report.cluster, chain: self.chain, state: self.state
            ) { count in
                done += count
                progress(done, total)
            }
            self.chain = nil
            self.state = nil
            do throws(DiskError) { try audit.run() } catch { audit.refused(error) }
            if let expected, length > expected, !audit.isDamaged, !audit.isLaterFormat {
                // The log goes on behind it all the same.
                self.add(AuditFinding(segment.fileName, expected..<length, .excess(expected: expected), .damage))
            }
            self.take(audit, isSealed: isSealed, &result)
        } catch {
            self.add(
                AuditFinding(
                    segment.fileName, 0..<length, error.isNotFound ? .missing : .refused(errno: error.errno.rawValue),
                    .damage))
            self.isSoundOver = true
            result.condition = .damaged
        }
        self.report.byteCount = before + length
        self.report.segments.append(result)
    }

    private mutating func take(_ audit: SegmentAudit, isSealed: Bool, _ result: inout AuditReport.Segment) {
        result.frameCount = audit.frameCount
        result.recordCount = audit.recordCount
        result.firstIndex = audit.header?.firstIndex
        let isTail = audit.terms.syncedByteCount == 0
        result.condition =
            audit.isLaterFormat
            ? .laterFormat : audit.isDamaged ? .damaged : isSealed ? .good : isTail ? .tail : .active
        if audit.header != nil {
            result.byteCount = audit.offset
            result.nextIndex = audit.chain.nextIndex
        }
        for finding in audit.findings { self.add(finding) }
        if self.report.cluster == nil { self.report.cluster = audit.header?.cluster }
        // Not even a checkpoint: the segment has not begun.
        let hasBegun = audit.frameCount > 0 && !audit.chain.isAtSegmentStart
        if let sound = audit.soundChain {
            self.endSound(sound)
        } else if hasBegun {
            if !self.isSoundOver { self.report.soundChain = audit.chain }
        }
        self.chain = hasBegun ? audit.chain : nil
        self.state = hasBegun ? audit.state : nil
        if let state = audit.state ?? audit.checkpoint { self.report.membership = state.membership }
        if audit.findings.contains(where: { $0.severity == .tail }) { self.isSoundOver = true }
    }

    private mutating func endSound(_ chain: FrameChain) {
        guard !self.isSoundOver else { return }
        self.isSoundOver = true
        if !chain.isEmpty, !chain.isAtSegmentStart { self.report.soundChain = chain }
    }
}
