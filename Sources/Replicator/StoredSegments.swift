import LogModel
import SegmentLog

/// How far a node's segments are committed: what of them may be copied.
package struct StoredSegments: Hashable, Sendable {
    package var cluster: ClusterID
    package var first: SegmentID
    package var firstIndex: LogIndex
    package var commit: Position
    /// The index that the next committed record takes.
    package var nextIndex: LogIndex
    /// Of everything from the first segment to the commit position.
    package var byteCount: Int

    package init(
        cluster: ClusterID, first: SegmentID, firstIndex: LogIndex, commit: Position, nextIndex: LogIndex,
        byteCount: Int
    ) {
        self.cluster = cluster
        self.first = first
        self.firstIndex = firstIndex
        self.commit = commit
        self.nextIndex = nextIndex
        self.byteCount = byteCount
    }

    init(_ store: LogStore, through view: CommitWatch.View) {
        let segments = store.segments
        let last = view.position.segment
        let sealed = segments.reduce(0) { $1.id < last ? $0 + $1.byteCount : $0 }
        self.init(
            cluster: store.cluster, first: segments.first?.id ?? last, firstIndex: segments.first?.firstIndex ?? .first,
            commit: view.position, nextIndex: view.nextIndex, byteCount: sealed + Int(view.position.offset))
    }
}

/// Committed frames of one segment, as they stand in its file.
package struct CommittedFrames: Hashable, Sendable {
    /// Whole frames; from offset 0 on the segment's header comes first.
    package var bytes: Bytes
    /// Where to read on; without bytes the next segment at the end of one, and else the position that was asked for.
    package var next: Position

    package init(bytes: Bytes, next: Position) {
        self.bytes = bytes
        self.next = next
    }

    /// Blocking: for a pool's threads.
    init(
        at start: Position, byteCountMax: Int, of store: LogStore, through commit: Position
    ) throws(ReadFailure) {
        self.init(bytes: [], next: start)
        guard start < commit else { return }
        do throws(LogError) {
            let range = try store.read(from: start, through: commit, byteCountMax: byteCountMax)
            if range.position == start {
                self.bytes = range.bytes
                self.next = range.end
            } else {
                self.next = range.position
            }
        } catch {
            switch error {
            case .trimmed: throw .trimmed(first: store.firstIndex)
            case .noFrame, .beyondTail: throw .noFrame(at: start)
            default: throw .damaged("\(error)")
            }
        }
    }
}
