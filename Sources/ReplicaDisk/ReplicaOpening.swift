import DiskIO
import LogModel
import LogState
import RaftCore
import ReplicaCore
import SegmentFormat
import SegmentLog

/// Turns an opened log directory into what ``ReplicaCore`` starts from.
package enum ReplicaOpening {
    /// Bytes read at a time.
    private static let windowByteCount = 1 << 20

    /// Reads the log's end, from the checkpoint at or before the stored commit position to the tail.
    ///
    /// - Throws: ``ReplicaOpeningError``; nothing was changed.
    package static func recover(
        store: LogStore, commit: Position, hardState: HardState, right: VotingRight, vouched: LogPoint?
    ) throws(ReplicaOpeningError) -> RecoveredReplica {
        let segments = store.segments
        guard let first = segments.first else { throw .blank }
        // A segment whose start lies above the commit position may hold an uncommitted checkpoint.
        let base =
            segments.last { Position(segment: $0.id, offset: UInt32(SegmentHeader.byteCount)) < commit }
            ?? first
        do {
            let start = try Self.chain(before: base.id, in: store)
            var recovery = ReplicaRecovery(start: start, commit: commit)
            var from = Position(segment: base.id, offset: 0)
            let tail = store.written.position
            while from < tail {
                let range = try store.read(from: from, through: tail, byteCountMax: Self.windowByteCount)
                guard !range.bytes.isEmpty else { break }
                try recovery.apply(range.bytes, at: range.position)
                from = range.end
            }
            return try recovery.finish(
                hardState: hardState, right: right, vouched: vouched, segments: SegmentTable(segments, first))
        } catch let error as LogError {
            throw .log(error)
        } catch let error as RecoveryFailure {
            throw .state(error)
        } catch {
            preconditionFailure("untyped error \(error)")
        }
    }

    /// The log's end before a segment, as that segment's header names it.
    private static func chain(before id: SegmentID, in store: LogStore) throws(LogError) -> FrameChain {
        let header = try store.header(of: id)
        var chain = FrameChain(empty: header.cluster)
        guard id > .first else { return chain }
        chain.tail = Position(segment: SegmentID(id.rawValue - 1), offset: header.previousLength)
        chain.previousChecksum = header.previousChecksum
        chain.nextIndex = header.firstIndex
        return chain
    }
}

extension SegmentTable {
    fileprivate init(_ segments: [SegmentSummary], _ first: SegmentSummary) {
        self.init(first: first.id, firstIndex: first.firstIndex)
        for (segment, next) in zip(segments, segments.dropFirst()) {
            let end = Position(segment: segment.id, offset: UInt32(segment.byteCount))
            self.began(at: next.firstIndex, behind: end)
        }
    }
}

extension HardState {
    /// What a node may act on: an unreadable vote is no vote, and such a node does not vote (see ``VoteFile``).
    package init(_ stored: StoredVote) {
        switch stored {
        case .known(let term, let vote): self.init(term: term, vote: vote)
        case .unreadable: self.init(term: .zero, vote: nil)
        }
    }
}

/// Why a node's log could not be taken up.
package enum ReplicaOpeningError: Error, Sendable {
    /// There is no segment yet.
    case blank
    case log(LogError)
    case state(RecoveryFailure)
}
