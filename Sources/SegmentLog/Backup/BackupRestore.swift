import DiskIO
import LogModel
import LogState
import SegmentFormat
import SystemPackage

/// Makes a node's data directory out of a backup: the same log in a new cluster, of which the node is the only voter.
///
///     000000.wal ...  copied; each header names the new cluster, no frame changes: indexes, terms and positions stay
///     last segment    ends where the backup ends, or earlier
///     one more        checkpoint | term start | membership: this node alone, and where it took over
///     DURABLE, VOTE   all of it is committed; a new term, its own vote
///     IDENTITY        new cluster, new incarnation, next generation
///
/// A directory with `restoring.tmp` and without IDENTITY is half a one: nobody opens it, and restoring again begins anew.
/// What producers, keys, cursors and the fencing token stand for is in the log, and so is restored with it.
package struct BackupRestore {
    /// What becomes of the directory.
    package struct Restored: Sendable {
        package var manifest: BackupManifest
        package var identity: NodeIdentity
        package var cluster: ClusterID
        package var recovery: QuorumRecovery
        package var first: SegmentID
        package var firstIndex: LogIndex
        package var byteCount: Int
    }

    private static let bufferByteCount = 1 << 20
    private let source: LogFiles
    private let target: LogFiles
    private let cluster: ClusterID
    private let member: Member
    private var file: (any File)?
    private var offset = 0
    private var buffer: [UInt8] = []
    private var byteCount = 0
    private var firstIndex: LogIndex?

    /// - Parameters:
    ///   - cluster: Drawn at random: nodes of the old cluster and of this one refuse each other.
    ///   - incarnation: Likewise.
    ///   - now: Of the wall clock.
    ///   - progress: Bytes done, and bytes in all.
    /// - Throws: ``BackupError/notEmpty(file:)``, ``BackupError/nothingThrough(first:)``, ``BackupError/endsBefore(next:)``, and what keeps the backup from being
    ///   read; the directory is no node's then.
    /// - Complexity: Reads and writes every byte once.
    package static func run(
        _ backupDirectory: FilePath, into directory: FilePath, node: NodeID, through bound: BackupBound,
        cluster: ClusterID, incarnation: Incarnation, now: Timestamp, fileSystem: any FileSystem = LinuxFileSystem(),
        progress: (Int, Int) -> Void = { _, _ in }
    ) throws(BackupError) -> Restored {
        let source = LogFiles(fileSystem: fileSystem, directory: backupDirectory)
        guard let manifest = try BackupDirectory.manifest(in: source) else { throw .noBackup }
        let cut = try BackupCut.find(bound, of: manifest, in: source)
        let target = LogFiles(fileSystem: fileSystem, directory: directory)
        let lock = try RestoreTarget.take(target)
        defer { withExtendedLifetime(lock) {} }
        var restore = BackupRestore(
            source: source, target: target, cluster: cluster, member: Member(node: node, incarnation: incarnation))
        do throws(LogError) {
            try restore.copy(cut, of: manifest, progress)
            let generation = max(manifest.generation, cut.state.membership.recovery?.generation ?? 0) + 1
            let recovery = QuorumRecovery(
                generation: generation, position: cut.chain.tail, nextIndex: cut.chain.nextIndex)
            let end = try restore.takeOver(cut, recovery, now)
            let identity = NodeIdentity(
                cluster: cluster, node: node, incarnation: incarnation, generation: generation, starts: 0)
            try restore.finish(identity, end: end, first: cut.first)
            return Restored(
                manifest: manifest, identity: identity, cluster: cluster, recovery: recovery, first: cut.first,
                firstIndex: restore.firstIndex ?? .first, byteCount: restore.byteCount)
        } catch {
            if case .damaged(let damage) = error { throw .damaged(damage) }
            throw .log(error)
        }
    }

    private init(source: LogFiles, target: LogFiles, cluster: ClusterID, member: Member) {
        self.source = source
        self.target = target
        self.cluster = cluster
        self.member = member
    }

    // MARK: Segments

    private mutating func copy(
        _ cut: BackupCut, of manifest: BackupManifest, _ progress: (Int, Int) -> Void
    ) throws(LogError) {
        let total = manifest.segments.filter { $0.id >= cut.first && $0.id <= cut.chain.tail.segment }
            .reduce(0) { $0 + Int($1.byteCount) }
        var walk = try FrameWalk.from(cut.first, in: self.source, through: cut.chain.tail)
        while let step = try walk.next() {
            switch step {
            case .header(var header, _):
                header.cluster = self.cluster
                self.firstIndex = self.firstIndex ?? header.firstIndex
                try self.begin(header.segment, header.encoded())
            case .frame(_, let bytes, _):
                self.buffer += bytes
                if self.buffer.count >= Self.bufferByteCount { try self.flush() }
            }
            progress(self.byteCount, total)
        }
        // Each segment may be whole in itself, and yet be of another log than the last.
        guard walk.chain == cut.chain else {
            let defect = FrameDefect.brokenChain(
                expected: cut.chain.previousChecksum, found: walk.chain.previousChecksum)
            throw .damaged(Damage(cut.chain.tail.segment, 0..<Int(cut.chain.tail.offset), .fault(FrameFault(defect))))
        }
    }

    /// A segment of its own: so all that is restored is sealed, and whoever joins can begin with it.
    private mutating func takeOver(
        _ cut: BackupCut, _ recovery: QuorumRecovery, _ now: Timestamp
    ) throws(LogError) -> FrameChain {
        var chain = cut.chain
        chain.cluster = self.cluster
        let term = chain.term
        let membership = Membership(voters: [self.member], recovery: recovery)
        let header = chain.startSegment()
        try self.begin(chain.tail.segment, header)
        let drafts: [(FrameDraft, Term)] = [
            (.control(.checkpoint, payload: cut.state.encoded()), term),
            (.control(.termStart, payload: []), term.next),
            (.control(.membership, payload: membership.encoded()), term.next),
        ]
        for (draft, term) in drafts {
            self.buffer += chain.place(draft, term: term, node: self.member.node, timestamp: now).bytes
        }
        try self.end()
        return chain
    }

    private mutating func begin(_ segment: SegmentID, _ header: [UInt8]) throws(LogError) {
        try self.end()
        self.file = try self.target.open(segment.fileName, .create)
        self.offset = 0
        self.buffer = header
    }

    private mutating func end() throws(LogError) {
        try self.flush()
        guard let file else { return }
        try disk { () throws(DiskError) in try file.sync() }
    }

    private mutating func flush() throws(LogError) {
        guard let file, !self.buffer.isEmpty else { return }
        let (bytes, offset) = (self.buffer, self.offset)
        try disk { () throws(DiskError) in try file.write(bytes.span.bytes, at: offset) }
        self.offset += bytes.count
        self.byteCount += bytes.count
        self.buffer.removeAll(keepingCapacity: true)
    }

    // MARK: Sidecars

    private func finish(_ identity: NodeIdentity, end: FrameChain, first: SegmentID) throws(LogError) {
        let record = DurableRecord(durable: end.point, commit: end.tail, first: first, isClean: false)
        try self.target.replace(LogFiles.durable, with: record.fileBytes)
        let vote = VoteSlot(term: end.term, member: self.member, bar: .none, sequence: 1)
        try self.target.replace(LogFiles.vote, with: VoteFile.bytes(vote))
        try self.target.replace(LogFiles.identity, with: identity.encoded())
        try self.target.remove(LogFiles.restoring)
        try self.target.syncDirectory()
    }
}
