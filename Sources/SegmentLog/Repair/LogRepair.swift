import DiskIO
import LogModel
import SegmentFormat
import SystemPackage

/// Repairs a directory that nobody has open: plans first, and applies what was planned.
///
///     --plan:  lock | audit | store the plan
///     --apply: lock | audit again, the same plan? | mark it as begun | actions, one by one | mark it as applied
///
/// A directory in which a later release has written is left as it is: that release repairs it.
///
/// Whatever is dropped is kept under another name first. Each action may be repeated; a repair that was killed goes on
/// where it was. The last action makes the log whole: before it, no node starts on a log that was cut half.
package final class LogRepair {
    private let files: LogFiles
    private let lock: any HeldLock
    private let encode: (RepairPlan) -> [UInt8]
    private let decode: ([UInt8]) -> RepairPlan?

    private static let planByteCountMax = 16 << 20

    /// What ``apply(acceptsLoss:progress:)`` did.
    package enum Outcome: Sendable {
        /// And how the directory is now.
        case applied(RepairPlan, AuditReport)
        /// The last plan was applied before; nothing was done.
        case appliedBefore
    }

    /// Takes the directory's lock, for as long as the value lives.
    ///
    /// - Parameters:
    ///   - encode: How a plan is stored.
    ///   - decode: `nil` for anything that `encode` did not make.
    /// - Throws: ``LogError/locked(holder:)``, ``LogError/storage(_:)``.
    package init(
        _ directory: FilePath, fileSystem: any FileSystem = LinuxFileSystem(),
        encode: @escaping (RepairPlan) -> [UInt8], decode: @escaping ([UInt8]) -> RepairPlan?
    ) throws(LogError) {
        self.files = LogFiles(fileSystem: fileSystem, directory: directory)
        self.encode = encode
        self.decode = decode
        // Listed first: a directory that is not there is not to get a lock file.
        _ = try self.files.list()
        let path = self.files.path(LogFiles.lock)
        switch try disk({ () throws(DiskError) in try fileSystem.lock(path) }) {
        case .acquired(let lock): self.lock = lock
        case .held(let holder): throw .locked(holder: holder)
        }
    }

    /// Looks at everything and stores what it would do.
    ///
    /// A plan that was begun to be applied stays as it is, unless something else is asked for, or the log was opened
    /// since: then the directory is planned for as it is now. Nothing that was done so far stands in the way of that:
    /// what was dropped is kept aside, and barring the node from voting comes first.
    ///
    /// - Returns: The plan; it is not stored when there is nothing to do.
    /// - Throws: ``RepairError/log(_:)``; with ``LogError/laterFormat(file:version:)`` nothing was looked at.
    package func plan(
        _ options: RepairPlan.Options, progress: @escaping (Int, Int) -> Void = { _, _ in }
    ) throws(RepairError) -> RepairPlan {
        try RepairFiles.log { () throws(LogError) in _ = try self.files.refuseLaterFormat() }
        if let stored = try self.stored(), stored.isApplying, self.goesOn(stored), stored.options.peer == options.peer,
            stored.options.node == options.node, try self.hasSources(stored)
        {
            return stored
        }
        return try RepairFiles.log { () throws(LogError) in
            let plan = try RepairPlanning.plan(self.files, options, progress: progress)
            if plan.actions.isEmpty {
                try self.files.removeIfThere(RepairPlan.fileName)
                // Also one that was begun, when nothing of it is left to be done.
                if plan.isNothingLeft { try self.files.removeIfThere(RepairPlan.begunFileName) }
            } else {
                try self.files.replace(RepairPlan.fileName, with: self.encode(plan))
            }
            return plan
        }
    }

    /// Does what the stored plan says.
    ///
    /// - Parameter acceptsLoss: Records that were committed may go.
    /// - Throws: ``RepairError``; applying again goes on, when what stands in the way is gone.
    package func apply(
        acceptsLoss: Bool, progress: @escaping (Int, Int) -> Void = { _, _ in }
    ) throws(RepairError) -> Outcome {
        // Also for a plan that was begun: a later release may have made it, and the segments that it moves.
        try RepairFiles.log { () throws(LogError) in _ = try self.files.refuseLaterFormat() }
        guard var plan = try self.stored() else {
            let names = try RepairFiles.log { () throws(LogError) in try self.files.list() }
            guard !names.contains(RepairPlan.begunFileName) else { throw .begunUnreadable }
            guard names.contains(RepairPlan.appliedFileName) else { throw .noPlan }
            return .appliedBefore
        }
        if plan.isApplying {
            guard self.goesOn(plan) else { throw .openedSince }
        } else {
            let again = try RepairFiles.log { () throws(LogError) in
                try RepairPlanning.plan(self.files, plan.options, lengths: plan.takenByteCounts, progress: progress)
            }
            guard again == plan else { throw .stale }
            guard plan.unresolved.isEmpty else { throw .unresolved(plan.unresolved) }
            guard acceptsLoss || !plan.needsAcceptance else { throw .needsAcceptance }
            plan.isApplying = true
            try self.begin(plan)
        }
        for action in plan.actions { try self.perform(action) }
        let report = try RepairFiles.log { () throws(LogError) in
            try self.files.syncDirectory()
            try self.files.rename(RepairPlan.begunFileName, to: RepairPlan.appliedFileName)
            try self.files.syncDirectory()
            return try LogAudit.run(self.files.directory, fileSystem: self.files.fileSystem, progress: progress)
        }
        return .applied(plan, report)
    }

    /// The plan that was made last; else the one that was begun.
    private func stored() throws(RepairError) -> RepairPlan? {
        if let plan = try self.stored(RepairPlan.fileName) { return plan }
        return try self.stored(RepairPlan.begunFileName)
    }

    private func stored(_ name: String) throws(RepairError) -> RepairPlan? {
        let bytes = try RepairFiles.log { () throws(LogError) in
            try self.files.contents(name, byteCountMax: Self.planByteCountMax)
        }
        guard let bytes, let plan = self.decode(bytes), plan.version == RepairPlan.version, plan.isWellFormed else {
            return nil
        }
        return plan
    }

    /// From here on nobody opens the log before the plan is done.
    private func begin(_ plan: RepairPlan) throws(RepairError) {
        try RepairFiles.log { () throws(LogError) in
            try self.files.replace(RepairPlan.begunFileName, with: self.encode(plan))
            try self.files.remove(RepairPlan.fileName)
            try self.files.syncDirectory()
        }
    }

    /// Whether what is still to be taken from a peer is there as it was.
    private func hasSources(_ plan: RepairPlan) throws(RepairError) -> Bool {
        let repair = RepairFiles(files: self.files)
        for action in plan.actions {
            guard case .replace(let segment, let source, let byteCount, let checksum, _) = action else { continue }
            let name = SegmentID(segment).fileName
            if try repair.holds(name, byteCount: byteCount, checksum: checksum) { continue }
            if try repair.holds(Self.temporaryName(name), byteCount: byteCount, checksum: checksum) { continue }
            let found = try RepairFiles.log { () throws(LogError) in
                try repair.checksum(FilePath(source), 0..<byteCount)
            }
            if found != checksum { return false }
        }
        return true
    }

    /// Where a segment from a peer is put together.
    private static func temporaryName(_ name: String) -> String { name + ".repair.tmp" }

    /// Nobody has opened the log since the plan was made.
    private func goesOn(_ plan: RepairPlan) -> Bool {
        guard let starts = self.starts else { return true }
        let written = plan.actions.compactMap { if case .writeIdentity(let new, _) = $0 { new.starts } else { nil } }
        return starts == plan.starts || written.contains(starts)
    }

    private var starts: UInt64? {
        let bytes = try? self.files.contents(LogFiles.identity, byteCountMax: NodeIdentity.byteCountMax)
        return bytes.flatMap { NodeIdentity(decoding: $0) }?.starts
    }

    // MARK: Actions

    private func perform(_ action: RepairPlan.Action) throws(RepairError) {
        let repair = RepairFiles(files: self.files)
        switch action {
        case .replace(let segment, let source, let byteCount, let checksum, let keptAs):
            try self.replace(SegmentID(segment), FilePath(source), byteCount, checksum, keptAs, repair)
        case .shorten(let piece): try repair.cutOff(piece)
        case .cut(let cut):
            for segment in cut.segments { try repair.move(segment.name, to: segment.keptAs) }
            try RepairFiles.log { () throws(LogError) in try self.files.syncDirectory() }
            if let piece = cut.piece { try repair.cutOff(piece) }
        case .bar:
            try RepairFiles.log { () throws(LogError) in
                try VoteFile(try self.files.open(LogFiles.vote, .write)).barUntilLevel()
            }
        case .writeDurable(let new, let keptAs):
            try self.keep(LogFiles.durable, as: keptAs, repair)
            try RepairFiles.log { () throws(LogError) in
                try self.syncSegments(through: Position(new.segment, new.offset))
                try DurableReplacement(
                    durable: LogPoint(term: Term(new.term), position: Position(new.segment, new.offset)),
                    commit: Position(new.commitSegment, new.commitOffset), first: SegmentID(new.first), isClean: false
                ).write(in: self.files.directory, fileSystem: self.files.fileSystem)
            }
        case .writeIdentity(let new, let keptAs):
            try self.keep(LogFiles.identity, as: keptAs, repair)
            let identity = NodeIdentity(
                cluster: ClusterID(new.cluster), node: NodeID(new.node), incarnation: Incarnation(new.incarnation),
                generation: new.generation, starts: new.starts)
            try RepairFiles.log { () throws(LogError) in
                try self.files.replace(LogFiles.identity, with: identity.encoded())
            }
        }
    }

    /// What DURABLE is to vouch for may be in the kernel's memory only.
    private func syncSegments(through end: Position) throws(LogError) {
        for segment in LogFiles.segments(in: try self.files.list()) where segment <= end.segment {
            let file = try self.files.open(segment, .write)
            try disk { () throws(DiskError) in
                if segment == end.segment { try OpenedLog.writeAgain(file, from: 0, to: Int(end.offset)) }
                try file.sync()
            }
        }
        try self.files.syncDirectory()
    }

    /// Keeps a small file as it was before the repair.
    private func keep(_ name: String, as keptAs: String?, _ repair: RepairFiles) throws(RepairError) {
        guard let keptAs, try !RepairFiles.log({ () throws(LogError) in try repair.exists(keptAs) }) else { return }
        let path = self.files.path(name)
        let (byteCount, checksum) = try RepairFiles.log { () throws(LogError) in
            let byteCount = try repair.byteCount(path)
            return (byteCount, try repair.checksum(path, byteCount: byteCount))
        }
        // What the disk does not deliver is no longer to be read under its own name either.
        guard let checksum else { return try repair.move(name, to: keptAs) }
        try repair.keep(path, 0..<byteCount, as: keptAs, checksum: checksum)
    }

    private func replace(
        _ segment: SegmentID, _ source: FilePath, _ byteCount: Int, _ checksum: UInt32, _ keptAs: String?,
        _ repair: RepairFiles
    ) throws(RepairError) {
        let name = segment.fileName
        let temporary = Self.temporaryName(name)
        if try repair.holds(name, byteCount: byteCount, checksum: checksum) { return }
        if try !repair.holds(temporary, byteCount: byteCount, checksum: checksum) {
            guard try RepairFiles.log({ () throws(LogError) in try repair.checksum(source, 0..<byteCount) }) == checksum
            else { throw .sourceChanged(source.string) }
            try RepairFiles.log { () throws(LogError) in
                try repair.copy(source, 0..<byteCount, toTemporary: temporary)
            }
            guard try repair.holds(temporary, byteCount: byteCount, checksum: checksum) else {
                throw .sourceChanged(source.string)
            }
        }
        if let keptAs { try repair.move(name, to: keptAs) }
        try RepairFiles.log { () throws(LogError) in
            try self.files.rename(temporary, to: name)
            try self.files.syncDirectory()
        }
    }
}
