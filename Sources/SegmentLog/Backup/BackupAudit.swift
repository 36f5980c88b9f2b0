import DiskIO
import LogModel
import LogState
import SegmentFormat
import SystemPackage

/// Checks everything that a backup's manifest counts on: each frame's checksums, the chain, and the log's own state at each
/// checkpoint. Only reads.
package struct BackupAudit {
    package let manifest: BackupManifest
    package private(set) var findings: [AuditFinding] = []
    package private(set) var recordCount = 0
    package private(set) var byteCount = 0
    /// Of its last record, as the frames have it.
    package var lastIndex: LogIndex { LogIndex(self.manifest.end.nextIndex.rawValue - 1) }
    private let files: LogFiles
    private var chain: FrameChain?
    private var state: LogState?

    package var isDamaged: Bool { self.findings.contains { $0.severity != .note && $0.severity != .laterFormat } }

    /// - Parameter progress: Bytes done, and bytes in all.
    /// - Throws: ``BackupError/noBackup``, ``BackupError/manifestUnreadable``, ``BackupError/log(_:)`` when BACKUP cannot be
    ///   read. What cannot be read of the segments is a finding.
    /// - Complexity: Every byte is read once; memory is a megabyte, or one frame.
    package static func run(
        _ directory: FilePath, fileSystem: any FileSystem = LinuxFileSystem(),
        progress: @escaping (Int, Int) -> Void = { _, _ in }
    ) throws(BackupError) -> BackupAudit {
        var audit = BackupAudit(
            manifest: try BackupDirectory.manifest(in: directory, fileSystem: fileSystem),
            files: LogFiles(fileSystem: fileSystem, directory: directory))
        for segment in audit.manifest.segments { audit.check(segment, progress) }
        if !audit.isDamaged, audit.findings.laterFormat == nil, audit.chain != audit.manifest.end {
            audit.findings.append(AuditFinding(BackupManifest.fileName, 0..<0, .unreadable, .damage))
        }
        return audit
    }

    private init(manifest: BackupManifest, files: LogFiles) {
        self.manifest = manifest
        self.files = files
    }

    private mutating func check(_ segment: BackupManifest.Segment, _ progress: @escaping (Int, Int) -> Void) {
        let name = segment.id.fileName
        let expected = Int(segment.byteCount)
        let (before, total) = (self.byteCount, self.manifest.byteCount)
        var done = before
        let (chain, state) = (self.chain, self.state)
        self.chain = nil
        self.state = nil
        self.byteCount += expected
        do throws(DiskError) {
            let file = try self.files.fileSystem.open(self.files.path(of: segment.id), .read)
            let length = try file.byteCount()
            var audit = SegmentAudit(
                file, byteCount: length,
                terms: .init(segment: segment.id, expectedByteCount: expected, syncedByteCount: expected),
                cluster: self.manifest.cluster, chain: chain, state: state
            ) { count in
                done += count
                progress(done, total)
            }
            do throws(DiskError) { try audit.run() } catch { audit.refused(error) }
            self.findings += audit.findings
            self.recordCount += audit.recordCount
            if length > expected, segment.id < self.manifest.end.tail.segment, !audit.isLaterFormat {
                self.findings.append(AuditFinding(name, expected..<length, .excess(expected: expected), .damage))
            }
            guard !audit.isDamaged, audit.frameCount > 0 else { return }
            try self.compareBeginning(of: segment, file)
            self.chain = audit.chain
            self.state = audit.state
            if audit.chain.previousChecksum != segment.checksum {
                let defect = FrameDefect.brokenChain(expected: segment.checksum, found: audit.chain.previousChecksum)
                self.findings.append(AuditFinding(name, 0..<expected, .frame(defect), .damage))
            }
        } catch {
            let fault: AuditFault = error.isNotFound ? .missing : .refused(errno: error.errno.rawValue)
            self.findings.append(AuditFinding(name, 0..<0, fault, .damage))
        }
    }

    /// By its records a restore finds the segment that holds one.
    private mutating func compareBeginning(
        of segment: BackupManifest.Segment, _ file: any File
    ) throws(DiskError) {
        let bytes = try file.read(at: 0, count: SegmentHeader.byteCount)
        // Its damage is found already.
        guard let header = try? SegmentHeader.decode(bytes.span.bytes), header.firstIndex != segment.firstIndex else {
            return
        }
        self.findings.append(
            AuditFinding(
                BackupManifest.fileName, 0..<0,
                .misstated(segment.id, manifest: segment.firstIndex, files: header.firstIndex), .damage))
    }
}
