import DiskIO
import LogModel
import LogState
import SegmentFormat

/// How much of a backup is restored.
package enum BackupBound: Hashable, Sendable {
    case everything
    /// No record behind this one.
    case index(LogIndex)
    /// Nothing that was written later.
    case time(Timestamp)
}

/// Where the restored part of a backup ends, and what the log knew of itself there.
struct BackupCut {
    var chain: FrameChain
    var state: LogState
    /// The first segment that the log still had then: what it had trimmed is not restored.
    var first: SegmentID

    /// - Throws: ``BackupError/nothingThrough(first:)``, ``BackupError/endsBefore(next:)``, ``BackupError/misstated(_:manifest:files:)``,
    ///   ``BackupError/damaged(_:)``, ``BackupError/state(_:)``, ``BackupError/log(_:)``.
    /// - Complexity: Reads one segment; with a time, the beginnings of others.
    static func find(
        _ bound: BackupBound, of manifest: BackupManifest, in files: LogFiles
    ) throws(BackupError) -> BackupCut {
        // Who names a record counts on it.
        if case .index(let index) = bound, index >= manifest.end.nextIndex {
            throw .endsBefore(next: manifest.end.nextIndex)
        }
        guard let first = manifest.segments.first,
            let last = try Self.segment(of: bound, manifest, files)
        else { throw .nothingThrough(first: manifest.firstIndex) }
        let end = try Self.translated { () throws(LogError) in try Self.end(of: bound, in: last, files) }
        try Self.check(last, passed: end.passed, manifest, files)
        return try Self.translated { () throws(LogError) in
            try Self.cut(at: end.position, in: last, first: first.id, files)
        }
    }

    /// In which segment the bound falls was the manifest's word; where segments begin, their own headers know.
    ///
    /// - Parameter passed: What index comes behind the segment, when all of it is within the bound.
    private static func check(
        _ segment: BackupManifest.Segment, passed: LogIndex?, _ manifest: BackupManifest, _ files: LogFiles
    ) throws(BackupError) {
        let beginning = try Self.translated { () throws(LogError) in
            try FrameWalk.from(segment.id, in: files, through: .max).chain.nextIndex
        }
        guard beginning == segment.firstIndex else {
            throw .misstated(segment.id, manifest: segment.firstIndex, files: beginning)
        }
        guard let passed, let next = manifest.segments.first(where: { $0.id > segment.id }) else { return }
        guard passed == next.firstIndex else {
            throw .misstated(next.id, manifest: next.firstIndex, files: passed)
        }
    }

    private static func cut(
        at end: Position, in last: BackupManifest.Segment, first: SegmentID, _ files: LogFiles
    ) throws(LogError) -> BackupCut {
        var walk = try FrameWalk.from(last.id, in: files, through: end)
        var tracker = StateTracker()
        while let step = try walk.next() {
            guard case .frame(let header, let bytes, let position) = step else { continue }
            if tracker.isAffected(by: header) { tracker.apply(header, frame: bytes, at: position) }
        }
        let chain = walk.chain
        if end.offset == last.byteCount, chain.previousChecksum != last.checksum {
            let defect = FrameDefect.brokenChain(expected: last.checksum, found: chain.previousChecksum)
            throw .damaged(Damage(last.id, 0..<Int(last.byteCount), .fault(FrameFault(defect))))
        }
        // The restored log goes on from here: what no number follows is of no log.
        guard let state = tracker.state, chain.term.rawValue < .max,
            (state.membership.recovery?.generation ?? 0) < .max
        else { throw .unsupportedCheckpoint(last.id) }
        let kept = max(first, state.trimmedBefore?.segment ?? first)
        return BackupCut(chain: chain, state: state, first: min(kept, last.id))
    }

    private static func translated<Result>(_ body: () throws(LogError) -> Result) throws(BackupError) -> Result {
        do throws(LogError) {
            return try body()
        } catch {
            switch error {
            case .damaged(let damage): throw .damaged(damage)
            case .unsupportedCheckpoint(let segment): throw .state(segment)
            default: throw .log(error)
            }
        }
    }

    /// In which segment the last frame within the bound stands; `nil` when there is none.
    private static func segment(
        of bound: BackupBound, _ manifest: BackupManifest, _ files: LogFiles
    ) throws(BackupError) -> BackupManifest.Segment? {
        switch bound {
        case .everything: return manifest.segments.last
        case .index(let index): return manifest.segments.last { $0.firstIndex <= index }
        case .time(let time):
            for segment in manifest.segments.reversed() {
                let limit = Position(segment: segment.id, offset: segment.byteCount)
                let began = try backup { () throws(LogError) -> Timestamp? in
                    var walk = try FrameWalk.from(segment.id, in: files, through: limit)
                    _ = try walk.next()
                    guard case .frame(let header, _, _) = try walk.next() else { return nil }
                    return header.timestamp
                }
                if let began, began <= time { return segment }
            }
            return nil
        }
    }

    /// Where the last frame ends that is restored: with an index, the last one with records. Batches are never split.
    ///
    /// - Returns: Also what index comes behind the segment, when all of it had to be passed.
    private static func end(
        of bound: BackupBound, in segment: BackupManifest.Segment, _ files: LogFiles
    ) throws(LogError) -> (position: Position, passed: LogIndex?) {
        let limit = Position(segment: segment.id, offset: segment.byteCount)
        if bound == .everything { return (limit, nil) }
        var walk = try FrameWalk.from(segment.id, in: files, through: limit)
        var end = limit
        while let step = try walk.next() {
            guard case .frame(let header, _, _) = step else { continue }
            switch bound {
            case .everything: break
            case .index(let index):
                let next = index.advanced(by: 1)
                if header.nextIndex > next { return (end, nil) }
                if header.kind == .checkpoint || header.kind == .records { end = walk.chain.tail }
                // Whatever is behind the last record that is wanted is not looked at.
                if header.kind == .records, header.nextIndex == next { return (end, nil) }
            case .time(let time):
                if header.timestamp > time { return (end, nil) }
                end = walk.chain.tail
            }
        }
        return (end, walk.chain.nextIndex)
    }
}
