import LogModel
import RaftCore
import WireFormat

/// Knows what the cluster has promised, and throws when a promise is broken.
struct Oracle {
    /// The one committed log, with the term in which each frame was first reported committed.
    private(set) var committed: [(frame: MirroredLog.Frame, inTerm: Term)] = []
    private var leaders: [Term: Int] = [:]
    private var votes: [String: Member] = [:]
    /// The newest one that is committed; `nil` while it is that of the founders.
    private(set) var membership: Membership?
    private var acknowledged: [ProducerSequence: LogIndex] = [:]
    /// What every read that begins now must see: all that was acknowledged, and all that a read before it has seen.
    private(set) var lastSeenIndex = LogIndex(0)
    /// Checksums of all frames that any node has placed: they are chained, so that equal ones mean equal logs up to there.
    private var placed: [Place: UInt32] = [:]
    var writers = WriterOracle()
    private var places: [ProducerSequence: LogIndex] = [:]
    /// Nobody asked for more to be trimmed.
    var trimAskedMax = LogIndex.first

    private struct Place: Hashable {
        var position: Position
        var term: Term
    }

    var leaderCount: Int { self.leaders.count }
    var acknowledgedCount: Int { self.acknowledged.count + self.writers.acknowledgedCount }

    mutating func led(_ node: Int, term: Term, log: MirroredLog) throws(Violation) {
        if let other = self.leaders.updateValue(node, forKey: term), other != node {
            throw Violation(invariant: .oneLeaderPerTerm, detail: "nodes \(other) and \(node) both lead term \(term)")
        }
        guard let last = self.committed.lastIndex(where: { $0.inTerm < term }) else { return }
        let trimmed = try self.trimmedCount(node, log)
        if last < trimmed { return }
        guard last < trimmed + log.frames.count, log.frames[last - trimmed] == self.committed[last].frame else {
            throw Violation(
                invariant: .leaderCompleteness,
                detail:
                    "node \(node) leads term \(term) without the committed frame at \(self.committed[last].frame.position)"
            )
        }
    }

    /// Whoever places a frame of a term at a position, it is the same one, behind the same log.
    mutating func placed(_ node: Int, _ frames: ArraySlice<MirroredLog.Frame>) throws(Violation) {
        for frame in frames {
            let place = Place(position: frame.position, term: frame.term)
            if let known = self.placed.updateValue(frame.checksum, forKey: place), known != frame.checksum {
                throw Violation(
                    invariant: .logMatching,
                    detail: "node \(node) places another frame of term \(frame.term) at \(frame.position)")
            }
        }
    }

    /// A linearizable read sees the log before `next`.
    ///
    /// - Parameter seen: What was acknowledged or read before it began.
    mutating func read(before next: LogIndex, seen: LogIndex) throws(Violation) {
        guard seen < next else {
            throw Violation(
                invariant: .linearizableReads,
                detail: "a read ends before \(next), though \(seen) was acknowledged or read before it began")
        }
        let committedNext = self.committed.last.map { $0.frame.firstIndex.advanced(by: UInt64($0.frame.recordCount)) }
        guard next <= committedNext ?? .first else {
            throw Violation(
                invariant: .linearizableReads, detail: "a read ends before \(next), which nobody has committed")
        }
        self.acknowledged(through: LogIndex(next.rawValue - 1))
    }

    mutating func voted(_ reply: VoteReply, for candidate: Member) throws(Violation) {
        guard reply.isGranted, !reply.isPreVote else { return }
        if let other = self.votes.updateValue(candidate, forKey: "\(reply.voter)/\(reply.term)"), other != candidate {
            throw Violation(
                invariant: .oneVotePerTerm,
                detail: "node \(reply.voter.node) voted for \(other.node) and \(candidate.node) in term \(reply.term)")
        }
    }

    mutating func committed(_ node: Int, through position: Position, term: Term, log: MirroredLog) throws(Violation) {
        guard let count = log.count(through: position), count > 0 else {
            throw Violation(
                invariant: .committedNeverChanges, detail: "node \(node) commits \(position), which it does not hold")
        }
        let trimmed = try self.trimmedCount(node, log)
        let known = min(count, self.committed.count - trimmed)
        if known > 0, log.frames[known - 1] != self.committed[trimmed + known - 1].frame {
            throw Violation(
                invariant: .committedNeverChanges,
                detail: "node \(node) holds another frame at \(log.frames[known - 1].position) than was committed")
        }
        for frame in log.frames[known..<count] {
            self.committed.append((frame, term))
            if let membership = frame.membership { self.membership = membership }
            try self.writers.committed(frame)
            switch frame.label {
            case nil, .key: break
            case .producer(let append): try self.placed(append, at: frame.firstIndex)
            case .run(let first):
                for number in 0..<UInt64(frame.recordCount) {
                    let append = ProducerSequence(producer: first.producer, sequence: first.sequence + number)
                    try self.placed(append, at: frame.firstIndex.advanced(by: number))
                }
            }
        }
    }

    private mutating func placed(_ append: ProducerSequence, at index: LogIndex) throws(Violation) {
        guard let other = self.places.updateValue(index, forKey: append) else { return }
        throw Violation(
            invariant: .acknowledgedOnce,
            detail: "producer \(append.producer) sequence \(append.sequence) stands at \(other) and \(index)")
    }

    mutating func acknowledged(_ append: ProducerSequence, at index: LogIndex) throws(Violation) {
        guard self.places[append] == index else {
            throw Violation(
                invariant: .acknowledgedOnce,
                detail: "producer \(append.producer) sequence \(append.sequence) was acknowledged at \(index), "
                    + "and stands at \(self.places[append].map(\.description) ?? "no place")")
        }
        self.acknowledged[append] = index
        self.acknowledged(through: index)
    }

    mutating func acknowledged(through index: LogIndex) {
        self.lastSeenIndex = max(self.lastSeenIndex, index)
    }
}
