import DiskIO
import LogModel
import SegmentFormat
import SystemPackage

/// Makes a backup, or goes on with one: copies of a log's segments in a directory of their own, and a manifest that says how
/// far they count.
///
///     open --> what an earlier run left behind the manifest's end is checked: only read
///          --> check                     the source is asked whether it goes on from there
///          --> append(frames) ...        the first one removes what was not good; checked against the chain, written at the end
///          --> finish                    synced; then the manifest, at once
///
/// The files only grow: a run that is cut off leaves the backup that was there before, and more behind it.
package final class BackupWriter {
    private let files: LogFiles
    private let lock: any HeldLock
    private let segmentCountMax: Int
    /// What the directory held when it was opened; `nil` before the first backup is finished.
    package let found: BackupManifest?
    /// `nil` once this run changes the directory.
    private var remains: BackupRemains?
    private var extent: BackupExtent
    private var file: (segment: SegmentID, file: any File)?
    /// Of the source, once it was asked.
    private var cluster: ClusterID?
    /// Nobody knows what is on the disk: only another run may go on.
    private var syncHasFailed = false
    /// Behind the manifest's end: kept of an earlier run, and written in this one.
    package private(set) var keptByteCount: Int
    package private(set) var copiedByteCount = 0

    /// Takes the directory up, or makes it. Nothing in it changes before the first ``append(_:at:)`` or
    /// ``finish(generation:node:now:)``.
    ///
    /// - Parameter segmentCountMax: One segment more is refused.
    /// - Throws: ``BackupError/inUse(holder:)``, ``BackupError/foreign(file:)``, ``BackupError/manifestUnreadable``,
    ///   ``BackupError/damaged(_:)`` when a file is missing or shorter than the manifest says, ``BackupError/log(_:)``.
    /// - Complexity: Looks at each file, and reads what stands behind the manifest's end.
    package init(
        _ directory: FilePath, fileSystem: any FileSystem = LinuxFileSystem(),
        segmentCountMax: Int = BackupManifest.segmentCountMax
    ) throws(BackupError) {
        let files = LogFiles(fileSystem: fileSystem, directory: directory)
        self.files = files
        self.segmentCountMax = segmentCountMax
        try backup { () throws(LogError) in
            try disk { () throws(DiskError) in try fileSystem.makeDirectory(directory) }
        }
        // Somebody else's directory does not even get a LOCK; what is ours may change until that is held.
        _ = try Self.names(files)
        self.lock = try BackupDirectory.lock(files)
        let remains = try BackupRemains.look(files, try Self.names(files))
        self.remains = remains
        self.found = remains.manifest
        self.extent = remains.extent
        self.keptByteCount = remains.keptByteCount
    }

    private static func names(_ files: LogFiles) throws(BackupError) -> [String] {
        let names = try backup { () throws(LogError) in try files.list() }
        if let foreign = BackupDirectory.foreign(in: names) { throw .foreign(file: foreign) }
        return names
    }

    /// Where the copy ends; `nil` while there is nothing.
    package var chain: FrameChain? { self.extent.chain }
    /// Bytes of all segments so far.
    package var byteCount: Int { self.extent.byteCount }

    /// Whether the backup can go on with what a source has, and where. What an earlier run left behind the manifest's end
    /// is given up where the source goes on with the manifest's own end, and cannot with what was left. A first backup that
    /// was never finished is not: what the log has trimmed since may be nowhere else.
    ///
    /// - Parameters:
    ///   - first: The source's first segment.
    ///   - commit: How far it is committed.
    ///   - grows: Whether it may be further in a moment: one that is behind what was left then keeps it from nothing.
    /// - Returns: Where to read on: the backup's end, or the source's beginning.
    /// - Throws: ``BackupError/otherCluster(backup:source:)``, ``BackupError/gap(end:first:)``,
    ///   ``BackupError/behind(backup:source:)``, ``BackupError/nothingCommitted``.
    @discardableResult
    package func check(
        cluster: ClusterID, first: SegmentID, commit: Position, grows: Bool = false
    ) throws(BackupError) -> Position {
        let start: Position
        do throws(BackupError) {
            start = try Self.start(behind: self.chain, cluster: cluster, first: first, commit: commit)
        } catch {
            // Another cluster's is somebody's only copy, whether it was finished or not.
            if case .otherCluster = error { throw error }
            if case .behind = error, grows { throw error }
            guard self.hasRemains, let end = self.found?.end else { throw error }
            start = try Self.start(behind: end, cluster: cluster, first: first, commit: commit)
            self.giveUpRemains()
        }
        self.cluster = cluster
        return start
    }

    private static func start(
        behind chain: FrameChain?, cluster: ClusterID, first: SegmentID, commit: Position
    ) throws(BackupError) -> Position {
        let beginning = Position(segment: first, offset: 0)
        guard let chain else {
            guard beginning < commit else { throw .nothingCommitted }
            return beginning
        }
        guard chain.cluster == cluster else { throw .otherCluster(backup: chain.cluster, source: cluster) }
        guard chain.tail <= commit else { throw .behind(backup: chain.tail, source: commit) }
        guard chain.tail.segment < first else { return chain.tail }
        // The next segment's header says whether the backup has all that stood before it.
        guard chain.tail.segment.next == first else { throw .gap(end: chain.tail, first: first) }
        return beginning
    }

    /// Whether this run could still go back to where the manifest ends.
    private var hasRemains: Bool { self.remains != nil && self.keptByteCount > 0 }

    /// Goes back to where the manifest ends, for a source that has other frames there than an earlier run left. The files
    /// stay as they are before the next ``append(_:at:)``.
    ///
    /// - Returns: `false` when nothing was left, or this run has already gone on with it.
    @discardableResult
    package func giveUpRemains() -> Bool {
        guard self.hasRemains else { return false }
        self.remains?.giveUp()
        self.extent = BackupExtent(self.found)
        self.keptByteCount = 0
        return true
    }

    /// Checks frames of the source and writes them at the end.
    ///
    /// - Parameters:
    ///   - bytes: Whole frames of one segment; at offset 0 the segment's header before them.
    ///   - position: The end of ``chain``, or offset 0 of the segment behind it; at first that of any segment.
    /// - Throws: ``BackupError/diverged(at:)`` when they are whole and do not follow, ``BackupError/gap(end:first:)`` when
    ///   more of the segment before is missing, ``BackupError/otherCluster(backup:source:)``,
    ///   ``BackupError/tooManySegments(max:)``, ``BackupError/log(_:)`` with ``LogError/rejected(_:at:)`` when they are not
    ///   whole, ``LogError/noSpace``, ``LogError/storage(_:)``, and ``LogError/failed`` after a sync that failed; what was
    ///   there before is.
    package func append(_ bytes: Bytes, at position: Position) throws(BackupError) {
        guard position.offset > 0 || self.extent.segments.count < self.segmentCountMax else {
            throw .tooManySegments(max: self.segmentCountMax)
        }
        var extent = self.extent
        let chain = try self.checked(bytes, at: position) { extent.began($0) }
        try backup { () throws(LogError) in
            try self.begin()
            try self.write(bytes, at: position)
        }
        extent.advanced(to: chain)
        self.extent = extent
        self.copiedByteCount += bytes.count
    }

    /// - Parameter began: Called with a segment's header.
    private func checked(
        _ bytes: Bytes, at position: Position, began: (SegmentHeader) -> Void
    ) throws(BackupError) -> FrameChain {
        var start = self.chain
        if position.offset == 0 {
            let header = try self.header(bytes, at: position)
            start = start ?? SegmentScan.chain(before: header)
            began(header)
        }
        do throws(FrameDefect) {
            guard var chain = start else {
                throw .wrongPosition(expected: Position(segment: position.segment, offset: 0), found: position)
            }
            try chain.accept(range: bytes, at: position) { _, _, _ in }
            return chain
        } catch {
            throw self.refusal(error, at: position)
        }
    }

    /// Nodes that were asked after the first may be of any cluster.
    private func header(_ bytes: Bytes, at position: Position) throws(BackupError) -> SegmentHeader {
        let header: SegmentHeader
        do throws(FormatError) { header = try SegmentHeader.decode(bytes.span.bytes) } catch {
            throw self.refusal(.format(error), at: position)
        }
        if let cluster, header.cluster != cluster { throw .otherCluster(backup: cluster, source: header.cluster) }
        // No number would be left for the next one.
        guard position.segment.rawValue < .max else { throw self.refusal(.segmentTooLong, at: position) }
        return header
    }

    private func refusal(_ defect: FrameDefect, at position: Position) -> BackupError {
        let end = self.chain?.tail ?? position
        switch defect {
        case .wrongPreviousLength(let ours, let theirs) where ours < theirs:
            return .gap(end: end, first: position.segment)
        case .brokenChain, .wrongIndex, .termWentBack, .timestampWentBack, .wrongPreviousLength:
            return .diverged(at: end)
        default: return .log(.rejected(FrameFault(defect), at: position))
        }
    }

    /// From here on the directory changes.
    private func begin() throws(LogError) {
        guard !self.syncHasFailed else { throw .failed }
        guard let remains else { return }
        if self.found == nil { try BackupDirectory.begin(self.files) }
        self.file = try remains.settle(self.files)
        self.remains = nil
    }

    private func write(_ bytes: Bytes, at position: Position) throws(LogError) {
        if self.file?.segment != position.segment {
            try self.syncFile()
            self.file = (position.segment, try self.files.open(position.segment.fileName, .create))
        }
        guard let file = self.file?.file else { return }
        try disk { () throws(DiskError) in try file.write(bytes.span.bytes, at: Int(position.offset)) }
    }

    private func syncFile() throws(LogError) {
        guard let file = self.file?.file else { return }
        do throws(DiskError) { try file.sync() } catch {
            self.syncHasFailed = true
            throw LogError(error)
        }
    }

    /// Makes what was copied count: durable on return.
    ///
    /// - Parameters:
    ///   - node: That the last bytes are from.
    ///   - now: Of the wall clock.
    /// - Throws: ``BackupError/log(_:)``: the backup is the one that was there before.
    package func finish(generation: UInt32, node: NodeID, now: Timestamp) throws(BackupError) -> BackupManifest {
        guard let chain else { throw .noBackup }
        let manifest = BackupManifest(
            generation: generation, node: node, taken: now, end: chain, segments: self.extent.segments)
        let encoded = manifest.encoded()
        // What nobody could read does not take the place of a good one.
        guard BackupManifest(decoding: encoded) != nil else { throw .tooManySegments(max: self.segmentCountMax) }
        try backup { () throws(LogError) in
            try self.begin()
            try self.syncFile()
            try self.files.syncDirectory()
            try self.files.replace(BackupManifest.fileName, with: encoded)
            try self.files.removeIfThere(BackupDirectory.begun)
        }
        return manifest
    }
}
