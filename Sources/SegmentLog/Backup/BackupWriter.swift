import DiskIO
import LogModel
import SegmentFormat
import SystemPackage

/// Makes a backup, or goes on with one: copies of a log's segments in a directory of their own, and a manifest that says how
/// far they count.
///
///     open --> what an earlier run left behind the manifest's end is checked, and kept as far as it is good
///          --> append(frames) ...        checked against the chain, written at the end
///          --> finish                    synced; then the manifest, at once
///
/// The files only grow: a run that is cut off leaves the backup that was there before, and more behind it.
package final class BackupWriter {
    private let files: LogFiles
    private let lock: any HeldLock
    /// What the directory held when it was opened; `nil` before the first backup is finished.
    package let found: BackupManifest?
    /// Where the copy ends; `nil` while there is nothing.
    package private(set) var chain: FrameChain?
    private var segments: [BackupManifest.Segment]
    private var file: (segment: SegmentID, file: any File)?
    /// Behind the manifest's end: kept of an earlier run, and written in this one.
    package private(set) var keptByteCount = 0
    package private(set) var copiedByteCount = 0

    /// Takes the directory up, or makes it.
    ///
    /// - Throws: ``BackupError/inUse(holder:)``, ``BackupError/foreign(file:)``, ``BackupError/manifestUnreadable``,
    ///   ``BackupError/damaged(_:)`` when a file is missing or shorter than the manifest says, ``BackupError/log(_:)``.
    /// - Complexity: Looks at each file, and reads what stands behind the manifest's end.
    package init(_ directory: FilePath, fileSystem: any FileSystem = LinuxFileSystem()) throws(BackupError) {
        let files = LogFiles(fileSystem: fileSystem, directory: directory)
        self.files = files
        try backup { () throws(LogError) in
            try disk { () throws(DiskError) in try fileSystem.makeDirectory(directory) }
        }
        let names = try backup { () throws(LogError) in try files.list() }
        if let foreign = BackupDirectory.foreign(in: names) { throw .foreign(file: foreign) }
        self.lock = try Self.lock(files)
        self.found = try BackupDirectory.manifest(in: files)
        self.chain = self.found?.end
        self.segments = self.found?.segments ?? []
        if self.found == nil, !names.contains(BackupDirectory.begun) {
            try backup { () throws(LogError) in
                _ = try files.open(BackupDirectory.begun, .create)
                try files.syncDirectory()
            }
        }
        try self.takeUp(LogFiles.segments(in: names))
    }

    private static func lock(_ files: LogFiles) throws(BackupError) -> any HeldLock {
        let outcome = try backup { () throws(LogError) in
            try disk { () throws(DiskError) in try files.fileSystem.lock(files.path(LogFiles.lock)) }
        }
        switch outcome {
        case .acquired(let lock): return lock
        case .held(let holder): throw .inUse(holder: holder)
        }
    }

    /// Checks what an earlier run left behind the end, and cuts off what is not whole.
    private func takeUp(_ there: [SegmentID]) throws(BackupError) {
        for segment in self.segments { try self.checkLength(of: segment) }
        guard let start = self.found?.end.tail.segment ?? there.first else { return }
        var boundary: FrameChain?
        do throws(LogError) {
            var walk =
                if let end = self.found?.end {
                    FrameWalk(self.files, from: end, through: .max)
                } else {
                    try FrameWalk.from(start, in: self.files, through: .max)
                }
            while true {
                let before = walk.chain
                guard let step = try walk.next() else { break }
                if case .header(let header, _) = step {
                    boundary = before
                    self.began(header)
                }
                self.advanced(to: walk.chain)
            }
        } catch {
            guard case .damaged = error else { throw .log(error) }
        }
        if self.chain?.isAtSegmentStart == true {
            // A header alone is no copy of anything.
            self.segments.removeLast()
            self.chain = self.segments.isEmpty ? nil : boundary
        }
        try backup { () throws(LogError) in try self.cut(there) }
        self.keptByteCount = self.byteCount - (self.found?.byteCount ?? 0)
    }

    private func checkLength(of segment: BackupManifest.Segment) throws(BackupError) {
        let expected = Int(segment.byteCount)
        let found: Int
        do throws(DiskError) {
            found = try self.files.fileSystem.open(self.files.path(of: segment.id), .read).byteCount()
        } catch {
            guard error.isNotFound else { throw .log(LogError(error)) }
            throw .damaged(Damage(segment.id, 0..<expected, .missing))
        }
        guard found >= expected else { throw .damaged(Damage(segment.id, found..<expected, .lost)) }
    }

    private func began(_ header: SegmentHeader) {
        self.segments.append(
            .init(
                id: header.segment, firstIndex: header.firstIndex, byteCount: UInt32(SegmentHeader.byteCount),
                checksum: header.previousChecksum))
    }

    private func advanced(to chain: FrameChain) {
        self.chain = chain
        self.segments[self.segments.count - 1].byteCount = chain.tail.offset
        self.segments[self.segments.count - 1].checksum = chain.previousChecksum
    }

    /// Removes what is behind the good end.
    private func cut(_ there: [SegmentID]) throws(LogError) {
        let end = self.chain?.tail
        for segment in there where end.map({ segment > $0.segment }) ?? true { try self.files.remove(segment.fileName) }
        guard let end else { return }
        let file = try self.files.open(end.segment, .write)
        try disk { () throws(DiskError) in
            if try file.byteCount() > Int(end.offset) { try file.truncate(to: Int(end.offset)) }
        }
        self.file = (end.segment, file)
    }

    /// Bytes of all segments so far.
    package var byteCount: Int { self.segments.reduce(0) { $0 + Int($1.byteCount) } }
    /// Where to read on; `nil` before the first byte.
    package var next: Position? { self.chain?.tail }

    /// Whether the backup can go on with what a source has.
    ///
    /// - Parameters:
    ///   - first: The source's first segment.
    ///   - commit: How far it is committed.
    /// - Throws: ``BackupError/otherCluster(backup:source:)``, ``BackupError/gap(end:first:)``,
    ///   ``BackupError/behind(backup:source:)``.
    package func check(cluster: ClusterID, first: SegmentID, commit: Position) throws(BackupError) {
        guard let chain else { return }
        guard chain.cluster == cluster else { throw .otherCluster(backup: chain.cluster, source: cluster) }
        guard chain.tail.segment >= first || chain.tail.segment.next == first else {
            throw .gap(end: chain.tail, first: first)
        }
        guard chain.tail <= commit else { throw .behind(backup: chain.tail, source: commit) }
    }

    /// Checks frames of the source and writes them at the end.
    ///
    /// - Parameters:
    ///   - bytes: Whole frames of one segment; at offset 0 the segment's header before them.
    ///   - position: ``next``, or offset 0 of the segment behind it; at first that of any segment.
    /// - Throws: ``BackupError/diverged(at:)`` when they are whole and do not follow, ``BackupError/log(_:)`` with
    ///   ``LogError/rejected(_:at:)`` when they are not, ``LogError/noSpace``, ``LogError/storage(_:)``; what was there
    ///   before is.
    package func append(_ bytes: Bytes, at position: Position) throws(BackupError) {
        var segments: [SegmentHeader] = []
        let chain = try self.checked(bytes, at: position, &segments)
        try backup { () throws(LogError) in try self.write(bytes, at: position) }
        for header in segments { self.began(header) }
        self.advanced(to: chain)
        self.copiedByteCount += bytes.count
    }

    private func checked(
        _ bytes: Bytes, at position: Position, _ begun: inout [SegmentHeader]
    ) throws(BackupError) -> FrameChain {
        do throws(FrameDefect) {
            var chain: FrameChain
            if position.offset == 0 {
                let header: SegmentHeader
                do throws(FormatError) { header = try SegmentHeader.decode(bytes.span.bytes) } catch {
                    throw .format(error)
                }
                begun = [header]
                chain = self.chain ?? SegmentScan.chain(before: header)
            } else if let there = self.chain {
                chain = there
            } else {
                throw .wrongPosition(expected: Position(segment: position.segment, offset: 0), found: position)
            }
            try chain.accept(range: bytes, at: position) { _, _, _ in }
            return chain
        } catch {
            switch error {
            case .brokenChain, .wrongIndex, .termWentBack, .timestampWentBack, .wrongPreviousLength:
                throw .diverged(at: self.chain?.tail ?? position)
            default: throw .log(.rejected(FrameFault(error), at: position))
            }
        }
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
        try disk { () throws(DiskError) in try file.sync() }
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
            generation: generation, node: node, taken: now, end: chain, segments: self.segments)
        try backup { () throws(LogError) in
            try self.syncFile()
            try self.files.syncDirectory()
            try self.files.replace(BackupManifest.fileName, with: manifest.encoded())
            try self.files.removeIfThere(BackupDirectory.begun)
        }
        return manifest
    }
}
