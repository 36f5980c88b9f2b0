import DiskIO
import LogModel
import SegmentFormat
import SystemPackage

/// The committed part of the log in a stopped node's directory, to be copied. Only reads; the node cannot start meanwhile.
package final class StoppedLog: Sendable {
    package let identity: NodeIdentity
    package let cluster: ClusterID
    package let first: SegmentID
    /// The last commit that the node knew of, and stored.
    package let commit: Position
    private let files: LogFiles
    private let lock: any HeldLock

    /// - Throws: ``LogError/locked(holder:)``, ``LogError/sidecarDamaged(file:)``,
    ///   ``LogError/foreignDirectory(_:)`` when there is no log of a cluster, ``LogError/laterFormat(file:version:)``,
    ///   ``LogError/storage(_:)``.
    package init(_ directory: FilePath, fileSystem: any FileSystem = LinuxFileSystem()) throws(LogError) {
        let files = LogFiles(fileSystem: fileSystem, directory: directory)
        guard let bytes = try files.contents(LogFiles.identity, byteCountMax: NodeIdentity.byteCountMax) else {
            throw .foreignDirectory(.noIdentity)
        }
        guard let identity = NodeIdentity(decoding: bytes) else { throw .sidecarDamaged(file: LogFiles.identity) }
        guard let cluster = identity.cluster else { throw .foreignDirectory(.noIdentity) }
        switch try disk({ () throws(DiskError) in try fileSystem.lock(files.path(LogFiles.lock)) }) {
        case .acquired(let lock): self.lock = lock
        case .held(let holder): throw .locked(holder: holder)
        }
        try files.refuseLaterFormat()
        let stored = try files.contents(LogFiles.durable, byteCountMax: DurableFile.byteCount) ?? []
        guard let record = DurableRecord(file: stored) else { throw .sidecarDamaged(file: LogFiles.durable) }
        self.files = files
        self.identity = identity
        self.cluster = cluster
        self.first = record.first
        self.commit = min(record.commit, record.durable.position)
    }

    /// Bytes of the committed part, as far as the files tell.
    package var byteCount: Int {
        guard self.first < self.commit.segment else { return Int(self.commit.offset) }
        return (self.first.rawValue..<self.commit.segment.rawValue).reduce(Int(self.commit.offset)) { sum, number in
            sum + ((try? self.end(of: SegmentID(number))) ?? 0)
        }
    }

    /// Whole frames from a position on, their checksums and the chain among them checked.
    ///
    /// - Parameter byteCountMax: One frame is read in any case.
    /// - Returns: The bytes, and where to read on: none, and the next segment, at the end of one.
    /// - Throws: ``LogError/damaged(_:)``, ``LogError/storage(_:)``.
    package func frames(at start: Position, byteCountMax: Int) throws(LogError) -> (bytes: Bytes, next: Position) {
        guard start < self.commit else { return ([], start) }
        let offset = Int(start.offset)
        let end = try self.end(of: start.segment)
        guard offset < end else { return ([], Position(segment: start.segment.next, offset: 0)) }
        let first = offset == 0 ? SegmentHeader.byteCount : 0
        let file = try self.open(start.segment)
        var count = min(end - offset, max(byteCountMax, SegmentHeader.byteCount + FrameHeader.producerByteCount))
        while true {
            let bytes = try disk { () throws(DiskError) in try file.read(at: offset, count: count) }
            guard bytes.count == count, bytes.count > first else {
                throw .damaged(Damage(start.segment, offset + bytes.count..<max(end, offset + bytes.count), .lost))
            }
            let checked = CheckedFrames(bytes.span.bytes, from: first, after: nil)
            if checked.end > first { return (bytes[..<checked.end], start.advanced(by: checked.end)) }
            switch checked.stop {
            case .incomplete(let needed) where first + needed > count && offset + first + needed <= end:
                count = first + needed
            case .defect(let defect):
                throw .damaged(Damage(start.segment, offset..<end, .fault(FrameFault(defect))))
            case .incomplete, .endOfBytes: throw .damaged(Damage(start.segment, offset..<end, .lost))
            }
        }
    }

    /// Whether one frame ends at a position and the next begins there, as a backup that this log goes on with needs it.
    ///
    /// - Throws: ``LogError/damaged(_:)`` when something before it in its segment is, ``LogError/storage(_:)``.
    /// - Complexity: Reads the segment up to there.
    package func isBoundary(_ position: Position) throws(LogError) -> Bool {
        var walk = try FrameWalk.from(position.segment, in: self.files, through: .max)
        while walk.chain.tail < position, try walk.next() != nil {}
        return walk.chain.tail == position
    }

    /// A sealed segment's length is what its successor says: its own file may not have been cut yet.
    private func end(of segment: SegmentID) throws(LogError) -> Int {
        guard segment < self.commit.segment else { return Int(self.commit.offset) }
        let next = segment.next
        let file = try self.open(next)
        let bytes = try disk { () throws(DiskError) in try file.read(at: 0, count: SegmentHeader.byteCount) }
        do throws(FormatError) {
            return Int(try SegmentHeader.decode(bytes.span.bytes, of: self.cluster).previousLength)
        } catch {
            throw .damaged(Damage(next, 0..<SegmentHeader.byteCount, .fault(FrameFault(.format(error)))))
        }
    }

    private func open(_ segment: SegmentID) throws(LogError) -> any File {
        do throws(DiskError) {
            return try self.files.fileSystem.open(self.files.path(of: segment), .read)
        } catch {
            guard error.isNotFound else { throw LogError(error) }
            throw .damaged(Damage(segment, 0..<SegmentHeader.byteCount, .missing))
        }
    }
}
