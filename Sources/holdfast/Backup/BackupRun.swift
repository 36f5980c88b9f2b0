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
    private static let pauseMilliseconds: UInt64 = 100
    static let anew = "begin another backup, in an empty directory; this one stays as it is"

    var source: any BackupSource
    var directory: String
    var bytesPerSecond: UInt64?
    /// Hears what becomes of what an earlier run left.
    var console: Console

    /// - Parameter progress: Bytes in the backup, and how many there will be.
    func make(_ progress: (Int, Int) -> Void) async throws(CommandFailure) -> Made {
        // Before the directory is touched: a source that does not answer leaves nothing behind.
        let first = try await self.source.outline()
        let writer = try self.translated { () throws(BackupError) in try BackupWriter(.init(self.directory)) }
        let outline = try await self.level(first, writer)
        let found = (byteCount: writer.found?.byteCount ?? 0, segmentCount: writer.found?.segments.count ?? 0)
        let node = try await self.copy(outline, to: writer, progress)
        guard let end = writer.chain?.tail, end >= outline.commit else {
            throw CommandFailure(
                .refused, "what the source gave ends before \(outline.commit), which it had committed",
                next: Self.goesOn)
        }
        let seconds = Date().timeIntervalSince1970
        let manifest = try self.translated { () throws(BackupError) in
            try writer.finish(
                generation: outline.generation, node: node, now: Timestamp(nanoseconds: UInt64(max(0, seconds) * 1e9)))
        }
        return Made(
            manifest: manifest, copiedByteCount: writer.copiedByteCount, keptByteCount: writer.keptByteCount,
            foundByteCount: found.byteCount, newSegmentCount: manifest.segments.count - found.segmentCount)
    }

    /// - Returns: Who gave the last bytes.
    private func copy(
        _ outline: BackupOutline, to writer: BackupWriter, _ progress: (Int, Int) -> Void
    ) async throws(CommandFailure) -> NodeID {
        let began = ContinuousClock.now
        var node = outline.node
        var position = try self.start(outline, writer)
        while position < outline.commit {
            guard let piece = try await self.piece(at: position, to: writer) else {
                position = try self.start(outline, writer)
                continue
            }
            node = piece.node
            position = piece.next
            progress(writer.byteCount, max(writer.byteCount, outline.byteCount))
            await self.pause(since: began, byteCount: writer.copiedByteCount)
        }
        return node
    }

    /// Waits for a source that has not committed yet what the backup has: a node that has just started, or fallen behind.
    ///
    /// - Returns: What it has then.
    private func level(
        _ first: BackupOutline, _ writer: BackupWriter
    ) async throws(CommandFailure) -> BackupOutline {
        let deadline = ContinuousClock.now + .milliseconds(self.source.patienceMilliseconds)
        var outline = first
        var isTold = false
        while let end = writer.chain?.tail, outline.commit < end, ContinuousClock.now < deadline {
            if !isTold {
                self.console.note("the source is behind what the backup has, through \(end): waiting for it")
                isTold = true
            }
            try? await Task.sleep(for: .milliseconds(Self.pauseMilliseconds))
            outline = try await self.source.outline()
        }
        return outline
    }

    private func start(_ outline: BackupOutline, _ writer: BackupWriter) throws(CommandFailure) -> Position {
        let kept = writer.keptByteCount
        let position = try self.translated { () throws(BackupError) in
            try writer.check(
                cluster: outline.cluster, first: outline.first, commit: outline.commit,
                grows: self.source.patienceMilliseconds > 0)
        }
        if kept > 0, writer.keptByteCount == 0 { self.gaveUp(kept, at: position) }
        return position
    }

    private func gaveUp(_ byteCount: Int, at position: Position) {
        self.console.note(
            "what an interrupted run left behind \(position) is given up, since the source does not go on with it: "
                + "\(byteCount.counted("byte"))")
    }

    /// - Returns: `false` when nothing was left, or this run has already gone on with it.
    private func giveUpRemains(of writer: BackupWriter) -> Bool {
        let kept = writer.keptByteCount
        guard writer.giveUpRemains() else { return false }
        self.gaveUp(kept, at: writer.chain?.tail ?? .zero)
        return true
    }

    /// Copies what the source has at a position.
    ///
    /// - Returns: `nil` when the source does not go on with what an earlier run left: that is given up, once in a run.
    private func piece(
        at position: Position, to writer: BackupWriter
    ) async throws(CommandFailure) -> (next: Position, node: NodeID)? {
        guard let piece = try await self.source.frames(at: position) else {
            guard self.giveUpRemains(of: writer) else { throw CommandFailure(.diverged(at: position), self.directory) }
            return nil
        }
        guard piece.next > position else {
            throw CommandFailure(.system, "the source gives nothing at \(position)", next: Self.goesOn)
        }
        guard !piece.bytes.isEmpty else { return (piece.next, piece.node) }
        do throws(BackupError) { try writer.append(piece.bytes, at: position) } catch {
            switch error {
            case .diverged: if self.giveUpRemains(of: writer) { return nil }
            // What is missing was trimmed: of a first backup that was never finished, all before may be nowhere else.
            case .gap: if writer.found != nil, self.giveUpRemains(of: writer) { return nil }
            default: break
            }
            throw CommandFailure(error, self.directory)
        }
        return (piece.next, piece.node)
    }

    private func translated<Result>(_ body: () throws(BackupError) -> Result) throws(CommandFailure) -> Result {
        do throws(BackupError) {
            return try body()
        } catch {
            throw CommandFailure(error, self.directory)
        }
    }

    /// Until so many bytes are due.
    private func pause(since began: ContinuousClock.Instant, byteCount: Int) async {
        guard let bytesPerSecond else { return }
        let due = began + .seconds(Double(byteCount) / Double(bytesPerSecond))
        if due > .now { try? await Task.sleep(until: due) }
    }
}
