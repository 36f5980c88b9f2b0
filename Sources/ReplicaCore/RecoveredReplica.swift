import LogModel
import LogState
import RaftCore
import SegmentFormat

/// What a node knows when it starts: the log's state at its tail, and one undo for each uncommitted frame.
package struct RecoveredReplica: Sendable {
    package var hardState: HardState
    package var right: VotingRight
    package var vouched: LogPoint?
    package var history: LogStateHistory
    package var marks: ChainMarks
    package var segments: SegmentTable
    package var trimMarks: TrimMarks
    /// Why this incarnation neither votes nor counts any more.
    package var retirement: Retirement?
    /// The latest starts of peers that this node has seen.
    package var sightings: [StartSighting] = []
}

/// Rebuilds ``RecoveredReplica`` from the frames of the log's end.
///
/// It starts at the segment that holds the stored commit position, takes that segment's checkpoint as the
/// state, and then sees every range up to the tail in order.
package struct ReplicaRecovery: Sendable {
    private var chain: FrameChain
    private var history: LogStateHistory?
    private var marks: ChainMarks?
    private var trimMarks = TrimMarks()
    private let commit: Position

    /// - Parameters:
    ///   - start: The chain at the end of the segment before the one that the ranges begin with.
    ///   - commit: The last known commit position.
    package init(start: FrameChain, commit: Position) {
        self.chain = start
        self.commit = commit
    }

    /// - Throws: ``RecoveryFailure`` when the frames do not fit; recovery of the files has checked them before.
    package mutating func apply(_ bytes: Bytes, at position: Position) throws(RecoveryFailure) {
        var chain = self.chain
        var frames: [(header: FrameHeader, payload: Bytes, position: Position)] = []
        do {
            try chain.accept(range: bytes, at: position) { (header, frame, position) throws(FrameDefect) in
                frames.append((header, frame.dropFirst(header.headerByteCount), position))
            }
        } catch { throw .frame(at: position, error) }
        for frame in frames {
            self.chain.advance(over: frame.header, at: frame.position)
            do { try self.apply(frame.header, payload: frame.payload, at: frame.position) } catch {
                throw .state(at: frame.position, error)
            }
        }
    }

    private mutating func apply(
        _ header: FrameHeader, payload: Bytes, at position: Position
    ) throws(LogStateError) {
        let end = self.chain.tail
        if self.history == nil {
            var state = try LogState(decoding: payload)
            _ = try state.apply(header, payload: payload, at: position)
            self.history = LogStateHistory(state: state, at: end)
            self.trimMarks = TrimMarks(committed: state.trimmedBefore?.segment ?? .first)
            self.marks = ChainMarks(committed: self.chain)
            return
        }
        try self.history?.apply(header, payload: payload, at: position, end: end)
        self.marks?.append(self.chain, byteCount: Int(header.length))
        if header.kind == .trim, let before = self.history?.current.trimmedBefore {
            self.trimMarks.append(before.segment, end: end)
        }
        guard end <= self.commit else { return }
        self.history?.commit(through: end)
        self.marks?.commit(through: end)
        self.trimMarks.commit(through: end)
    }

    package consuming func finish(
        hardState: HardState, right: VotingRight, vouched: LogPoint? = nil, segments: SegmentTable
    ) throws(RecoveryFailure) -> RecoveredReplica {
        guard let history = self.history, let marks = self.marks else { throw .noCheckpoint }
        return RecoveredReplica(
            hardState: hardState, right: right, vouched: vouched, history: history, marks: marks, segments: segments,
            trimMarks: self.trimMarks)
    }
}

/// Why the log's state could not be rebuilt.
package enum RecoveryFailure: Error, Sendable {
    case noCheckpoint
    case frame(at: Position, FrameDefect)
    case state(at: Position, LogStateError)
}
