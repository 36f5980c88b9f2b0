import DiskIO
import LogModel
import SegmentFormat

/// What earlier runs left in a backup's directory: what BACKUP counts on, and good frames behind its end.
///
///     look    only reads: whoever names the wrong source, or a damaged backup, loses nothing
///     giveUp  where the source does not go on with what BACKUP does not count on
///     settle  once it is known that the backup goes on: what is not good goes, what is good is written again, and read
struct BackupRemains {
    /// As far as the frames are good.
    private(set) var extent: BackupExtent
    /// Behind the manifest's end.
    private(set) var keptByteCount: Int
    let manifest: BackupManifest?
    private let segments: [SegmentID]

    /// - Parameter names: Of the files that are there.
    /// - Throws: ``BackupError/manifestUnreadable``, ``BackupError/damaged(_:)`` when a file is missing or shorter than the
    ///   manifest says, ``BackupError/log(_:)``: also of a segment of a later format, wherever it stands.
    /// - Complexity: Looks at each file, and reads what stands behind the manifest's end.
    static func look(_ files: LogFiles, _ names: [String]) throws(BackupError) -> BackupRemains {
        do throws(LogError) { try files.refuseLaterFormat() } catch { throw .log(error) }
        let manifest = try BackupDirectory.manifest(in: files)
        for segment in manifest?.segments ?? [] { try Self.checkLength(of: segment, in: files) }
        let segments = LogFiles.segments(in: names)
        let extent = try Self.extent(manifest, segments, in: files)
        return BackupRemains(extent, manifest, segments)
    }

    private init(_ extent: BackupExtent, _ manifest: BackupManifest?, _ segments: [SegmentID]) {
        self.extent = extent
        self.keptByteCount = extent.byteCount - (manifest?.byteCount ?? 0)
        self.manifest = manifest
        self.segments = segments
    }

    private static func checkLength(
        of segment: BackupManifest.Segment, in files: LogFiles
    ) throws(BackupError) {
        let expected = Int(segment.byteCount)
        let found: Int
        do throws(DiskError) {
            found = try files.fileSystem.open(files.path(of: segment.id), .read).byteCount()
        } catch {
            guard error.isNotFound else { throw .log(LogError(error)) }
            throw .damaged(Damage(segment.id, 0..<expected, .missing))
        }
        guard found >= expected else { throw .damaged(Damage(segment.id, found..<expected, .lost)) }
    }

    private static func extent(
        _ manifest: BackupManifest?, _ segments: [SegmentID], in files: LogFiles
    ) throws(BackupError) -> BackupExtent {
        var extent = BackupExtent(manifest)
        guard let start = manifest?.end.tail.segment ?? segments.first else { return extent }
        var boundary: FrameChain?
        do throws(LogError) {
            var walk =
                if let end = manifest?.end {
                    FrameWalk(files, from: end, through: .max)
                } else {
                    try FrameWalk.from(start, in: files, through: .max)
                }
            while true {
                let before = walk.chain
                guard let step = try walk.next() else { break }
                if case .header(let header, _) = step {
                    boundary = before
                    extent.began(header)
                }
                extent.advanced(to: walk.chain)
            }
        } catch {
            // What does not fit ends what is good.
            guard case .damaged = error else { throw .log(error) }
        }
        extent.gaveUpHeader(before: boundary)
        return extent
    }

    /// Goes back to the manifest's own end; only ``settle(_:)`` changes anything.
    mutating func giveUp() {
        self.extent = BackupExtent(self.manifest)
        self.keptByteCount = 0
    }

    /// Removes what is behind the good end, and writes what BACKUP does not count on once more.
    ///
    /// A sync alone would not do for that: where an earlier one failed, pages that never reached the disk count as clean, and
    /// none carries them (Rebello et al., ATC '20). Only the last segment can be of such a run, since none goes on to the
    /// next segment without a sync.
    ///
    /// - Returns: The last segment's file, not synced yet; `nil` when nothing is left.
    /// - Throws: ``LogError/damaged(_:)`` when what stands there then is not what ``look(_:_:)`` found: what BACKUP counts on
    ///   is untouched, and another run keeps as much as is good. ``LogError/storage(_:)``, ``LogError/noSpace``.
    /// - Complexity: Writes and reads the part of one segment that is kept.
    func settle(_ files: LogFiles) throws(LogError) -> (segment: SegmentID, file: any File)? {
        let end = self.extent.chain?.tail
        for segment in self.segments where end.map({ segment > $0.segment }) ?? true {
            try files.removeIfThere(segment.fileName)
        }
        guard let end else { return nil }
        let file = try files.open(end.segment, .write)
        let counted = self.manifest?.end.tail
        let start = end.segment == counted?.segment ? counted?.offset ?? 0 : 0
        try disk { () throws(DiskError) in
            if try file.byteCount() > Int(end.offset) { try file.truncate(to: Int(end.offset)) }
            try OpenedLog.writeAgain(file, from: Int(start), to: Int(end.offset))
        }
        if start < end.offset { try self.checkWritten(files, end) }
        return (end.segment, file)
    }

    /// What was written again was read a second time for that, and nobody has looked at those bytes.
    private func checkWritten(_ files: LogFiles, _ end: Position) throws(LogError) {
        var walk =
            if let counted = self.manifest?.end, counted.tail.segment == end.segment {
                FrameWalk(files, from: counted, through: end)
            } else {
                try FrameWalk.from(end.segment, in: files, through: end)
            }
        while try walk.next() != nil {}
        guard let chain = self.extent.chain, walk.chain != chain else { return }
        let defect = FrameDefect.brokenChain(expected: chain.previousChecksum, found: walk.chain.previousChecksum)
        throw .damaged(Damage(end.segment, 0..<Int(end.offset), .fault(FrameFault(defect))))
    }
}
