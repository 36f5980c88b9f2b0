import Foundation
import LogModel
import SegmentLog

/// One run of `backup create`: from the end of what is there to where the source was committed when it began.
struct BackupRun {
    struct Made {
        var manifest: BackupManifest
        /// Copied in this run; kept of one that was cut off; in the directory before both.
        var copiedByteCount: Int
        var keptByteCount: Int
        var foundByteCount: Int
        var newSegmentCount: Int
    }

    static let goesOn = "give the same command again: it goes on where it stopped"
    static let anew = "begin another backup, in an empty directory; this one stays as it is"

    var source: any BackupSource
    var directory: String
    var bytesPerSecond: UInt64?

    /// - Parameter progress: Bytes in the backup, and how many there will be.
    func make(_ progress: (Int, Int) -> Void) async throws(CommandFailure) -> Made {
        let outline = try await self.source.outline()
        let (writer, start): (BackupWriter, Position)
        do throws(BackupError) {
            writer = try BackupWriter(.init(self.directory))
            start = try writer.check(cluster: outline.cluster, first: outline.first, commit: outline.commit)
        } catch { throw CommandFailure(error, self.directory) }
        let found = (byteCount: writer.found?.byteCount ?? 0, segmentCount: writer.found?.segments.count ?? 0)
        let node = try await self.copy(outline, from: start, to: writer, progress)
        guard let end = writer.chain?.tail, end >= outline.commit else {
            throw CommandFailure(
                .refused, "what the source gave ends before \(outline.commit), which it had committed",
                next: Self.goesOn)
        }
        do throws(BackupError) {
            let seconds = Date().timeIntervalSince1970
            let manifest = try writer.finish(
                generation: outline.generation, node: node, now: Timestamp(nanoseconds: UInt64(max(0, seconds) * 1e9)))
            return Made(
                manifest: manifest, copiedByteCount: writer.copiedByteCount, keptByteCount: writer.keptByteCount,
                foundByteCount: found.byteCount, newSegmentCount: manifest.segments.count - found.segmentCount)
        } catch { throw CommandFailure(error, self.directory) }
    }

    /// - Returns: Who gave the last bytes.
    private func copy(
        _ outline: BackupOutline, from start: Position, to writer: BackupWriter, _ progress: (Int, Int) -> Void
    ) async throws(CommandFailure) -> NodeID {
        let began = ContinuousClock.now
        var node = outline.node
        var position = start
        while position < outline.commit {
            let piece = try await self.source.frames(at: position)
            guard piece.next > position else {
                throw CommandFailure(.system, "the source gives nothing at \(position)", next: Self.goesOn)
            }
            if !piece.bytes.isEmpty {
                do throws(BackupError) { try writer.append(piece.bytes, at: position) } catch {
                    throw CommandFailure(error, self.directory)
                }
            }
            node = piece.node
            position = piece.next
            progress(writer.byteCount, max(writer.byteCount, outline.byteCount))
            await self.pause(since: began, byteCount: writer.copiedByteCount)
        }
        return node
    }

    /// Until so many bytes are due.
    private func pause(since began: ContinuousClock.Instant, byteCount: Int) async {
        guard let bytesPerSecond else { return }
        let due = began + .seconds(Double(byteCount) / Double(bytesPerSecond))
        if due > .now { try? await Task.sleep(until: due) }
    }
}

extension CommandFailure {
    /// - Parameter directory: The backup's, or the one that it is restored into.
    init(_ error: BackupError, _ directory: String) {
        switch error {
        case .log(.noSpace):
            self.init(
                .system, "the disk of \(directory) is full; what was there before is whole",
                next: "make room; then \(BackupRun.goesOn)")
        case .log(.rejected(let fault, let position)):
            self.init(
                .refused, "what the source gave at \(position) does not fit: \(fault); what was there before is whole",
                next: "ask another node into the same directory: it goes on from there")
        case .log(let error):
            self.init(
                .system, "\(directory): \(error)",
                next: "check the path and its permissions; then \(BackupRun.goesOn)")
        case .inUse(let holder):
            self.init(
                .refused, "\(directory) is in use by \(holder); nothing was touched",
                next: "wait until that has ended; then give the same command again")
        case .foreign(let file):
            self.init(
                .usage, "\(directory) holds \(file), which is not of a backup; nothing was touched",
                next: "name an empty directory, or a backup's")
        case .noBackup:
            self.init(
                .usage, "\(directory) holds no backup that was ever finished",
                next: "make one, or finish it: \(Invocation.command("backup", "create", directory))")
        case .manifestUnreadable:
            self.init(
                .damaged, "\(directory)/BACKUP is not what its checksum says",
                next:
                    "take another backup; \(Invocation.command("verify", "\(directory)/000000.wal")) checks a segment "
                    + "by itself")
        case .otherCluster(let backup, let source):
            self.init(
                .refused,
                "\(directory) is a backup of cluster \(backup), and the source is cluster \(source); "
                    + "nothing was changed", next: BackupRun.anew)
        case .diverged(let position):
            self.init(
                .refused,
                "the source goes on with other frames behind \(position) than the backup has: the cluster gave "
                    + "up a part of its log since (recover-quorum)", next: BackupRun.anew)
        case .behind(let backup, let source):
            self.init(
                .refused,
                "the source is committed through \(source) as far as it knows, and the backup has all through "
                    + "\(backup) already; nothing was changed", next: "ask another node, or this one once it is level")
        case .gap(let end, let first):
            self.init(
                .refused,
                "the backup ends at \(end), and the log begins with segment \(first) by now: what stood between "
                    + "them was trimmed", next: BackupRun.anew)
        case .nothingCommitted:
            self.init(
                .refused, "the source has not committed anything yet, as far as it knows; nothing was changed",
                next: "ask another node, or this one once it follows a leader: "
                    + Invocation.clientCommand("status"))
        case .tooManySegments(let max):
            self.init(
                .refused, "the log has more than \(max) segments; one backup cannot name more",
                next: "trim the log, or let its segments be larger (segment-size); then begin another backup")
        case .damaged(let damage):
            self.init(
                .damaged, "\(directory): \(damage.summary)",
                next:
                    "see all that is wrong: \(Invocation.command("backup", "verify", directory)); a backup in another "
                    + "directory may be whole")
        case .notEmpty(let file):
            self.init(
                .refused, "\(directory) is not empty: \(file) is there; nothing was touched",
                next: "name a directory that is empty, or does not exist yet")
        case .nothingThrough(let first):
            self.init(
                .refused, "the backup holds nothing as old as that; its first record is \(first)",
                next: "name a later one with --through")
        case .state(let segment):
            self.init(
                .damaged, "\(directory): what the log knows of itself cannot be computed from \(segment.fileName)",
                next: Invocation.command("backup", "verify", directory))
        }
    }
}
