import LogModel
import LogState
import RaftCore
import SegmentFormat

/// Frames of one segment that were placed together: one write, one range.
struct PlacedRun {
    var from: Position
    var previous: LogPoint
    var previousChecksum: UInt32
    var bytes: [UInt8] = []

    /// A frame that is alone, and so every large one, is taken as it is, unless much more was reserved for it than it needs.
    mutating func append(_ frame: [UInt8]) {
        let isTight = frame.capacity - frame.count <= 64 + frame.count / 8
        if self.bytes.capacity == 0, isTight { self.bytes = frame } else { self.bytes.append(contentsOf: frame) }
    }
}

/// The leader's own appends.
extension ReplicaCore {
    /// Places what clients asked for: one write and one range for all that came together.
    mutating func proposed(_ proposals: [Proposal]) {
        guard !self.hold(proposals) else { return }
        guard self.raft.role == .leader else {
            let failure = AppendFailure.notLeader(leader: self.knownLeader)
            for proposal in proposals { self.actions.append(.answer(id: proposal.id, .failure(failure))) }
            return
        }
        var run: PlacedRun?
        self.placingByteCount = proposals.reduce(0) { $0 + $1.draft.byteCount }
        for proposal in proposals {
            if let answer = self.propose(proposal, run: &run) {
                self.actions.append(.answer(id: proposal.id, answer))
            }
        }
        // What was answered at once, as a repetition is, was never placed.
        self.placingByteCount = 0
        self.finish(run)
        self.drainEffects()
        self.shipToAll()
    }

    /// - Returns: An answer that needs no commit, or `nil` when one will come.
    private mutating func propose(
        _ proposal: Proposal, run: inout PlacedRun?
    ) -> Result<AppendOutcome, AppendFailure>? {
        let limits = self.configuration.limits
        guard self.pending.count + self.deferredAnswers.count < limits.pendingAppendCountMax,
            self.marks.byteCount < limits.uncommittedByteCountMax,
            self.buffer.byteCount < limits.tailByteCountMax + limits.uncommittedByteCountMax
        else { return .failure(.busy) }
        let byteCountMax = self.configuration.segmentByteCountMax - SegmentHeader.byteCount
        guard proposal.draft.byteCount <= byteCountMax else {
            return .failure(.tooLarge(byteCount: proposal.draft.byteCount, byteCountMax: byteCountMax))
        }
        switch self.judge(proposal) {
        case .place: break
        case .answer(let answer): return answer
        case .wait: return nil
        }
        let fence = proposal.submission.conditions.fencingToken.flatMap { token in
            token > self.history.current.fencingToken ? StateChange.raiseFence(to: token).draft : nil
        }
        let byteCount = proposal.draft.byteCount + (fence?.byteCount ?? 0)
        switch self.diskRoom {
        case .enough: break
        case .activeSegmentOnly: if self.needsRotation(for: byteCount) { return .failure(.noSpace) }
        // Nobody could say when it would be on this disk.
        case .none: return .failure(.noSpace)
        }
        if let fence { _ = self.place(fence, run: &run) }
        let first = self.chain.nextIndex
        let count = UInt64(proposal.draft.recordCount)
        let position = self.place(proposal.draft, run: &run)
        // Of a frame without records: the indexes on both sides of it.
        let outcome = AppendOutcome(
            first: first, last: LogIndex(first.rawValue + count - 1), position: position,
            term: self.raft.term, durability: self.configuration.durability, isDuplicate: false)
        self.await(outcome, of: proposal, end: self.chain.tail)
        return nil
    }

    mutating func await(_ outcome: AppendOutcome, of proposal: Proposal, end: Position) {
        var pending = PendingAppends.Pending(
            id: proposal.id, end: end, deadline: self.commitDeadline, outcome: outcome)
        if case .all(let milliseconds) = proposal.submission.acknowledgedBy {
            let timeout = min(milliseconds, self.configuration.limits.commitTimeoutMilliseconds)
            pending.allDeadline = self.now.monotonic.advanced(byMilliseconds: timeout)
        }
        self.pending.append(pending)
    }

    var commitDeadline: MonotonicTime {
        self.now.monotonic.advanced(byMilliseconds: self.configuration.limits.commitTimeoutMilliseconds)
    }

    /// Answers who has waited for every voter, as soon as they vouch or the time is up.
    mutating func answerWaitingForAll() {
        guard self.pending.isAnybodyWaitingForAll else { return }
        for done in self.pending.decided(by: self.raft.vouchers, at: self.now.monotonic) {
            self.actions.append(.answer(id: done.id, done.answer))
        }
    }

    /// A new leader's first frame: it commits what earlier terms left behind (Raft §5.4.2).
    mutating func becameLeader(of term: Term) {
        self.upstream.map { self.actions.append(.closeUpstream($0.stream)) }
        self.upstream = nil
        self.dropFetch()
        self.followers = [:]
        self.followMembers()
        var run: PlacedRun?
        // Never rotates: a term that began a segment would leave the end of the term before it to guesses.
        if self.configuration.raft.planted == .rotateForTermStart { self.rotate(run: &run) }
        _ = self.placeHere(FrameDraft.control(.termStart, payload: []), run: &run)
        self.finish(run)
        // A membership among what it found, whoever placed it, must be committed before another one follows.
        self.membership.end = self.chain.tail
        self.tendFollowers()
    }

    /// Places a control frame of this leader's own.
    mutating func placeControl(_ draft: FrameDraft) {
        var run: PlacedRun?
        _ = self.place(draft, run: &run)
        self.finish(run)
    }

    private func needsRotation(for byteCount: Int) -> Bool {
        Int(self.chain.tail.offset) + byteCount > self.configuration.segmentByteCountMax
    }

    /// Places one frame at the tail; rotates first where it does not fit.
    private mutating func place(_ draft: FrameDraft, run: inout PlacedRun?) -> Position {
        if let placed = run?.bytes.count, placed + draft.byteCount > self.configuration.limits.rangeByteCountMax {
            // A run travels as one RANGE: only a frame that is larger by itself may pass the bound.
            self.finish(run)
            run = nil
        }
        if self.needsRotation(for: draft.byteCount) { self.rotate(run: &run) }
        return self.placeHere(draft, run: &run)
    }

    private mutating func placeHere(_ draft: FrameDraft, run: inout PlacedRun?) -> Position {
        var chain = self.chain
        if run == nil {
            run = PlacedRun(from: chain.tail, previous: chain.point, previousChecksum: chain.previousChecksum)
            // No more than it needs: these bytes stay in memory for as long as a follower may want them.
            let likely = min(self.placingByteCount, self.configuration.limits.rangeByteCountMax)
            if likely > draft.byteCount { run?.bytes.reserveCapacity(likely) }
        }
        self.placingByteCount = max(0, self.placingByteCount - draft.byteCount)
        let frame = chain.place(
            draft, term: self.raft.term, node: self.configuration.member.node, timestamp: self.now.wall)
        run?.append(frame.bytes)
        self.adopt(
            frame.header, payload: frame.bytes[frame.header.headerByteCount...], at: frame.position, chain: chain)
        return frame.position
    }

    /// Ends the active segment before it is full.
    mutating func endActiveSegment() {
        var run: PlacedRun?
        self.rotate(run: &run)
        self.finish(run)
    }

    /// Ends the active segment; the next one begins with its header and the state so far.
    private mutating func rotate(run: inout PlacedRun?) {
        self.finish(run)
        var chain = self.chain
        let state = self.history.current.encoded()
        var next = PlacedRun(
            from: Position(segment: chain.tail.segment.next, offset: 0), previous: chain.point,
            previousChecksum: chain.previousChecksum)
        self.segments.began(at: chain.nextIndex, behind: chain.tail)
        next.bytes = chain.startSegment()
        let frame = chain.place(
            FrameDraft.control(.checkpoint, payload: state), term: self.raft.term,
            node: self.configuration.member.node, timestamp: self.now.wall)
        next.bytes.append(contentsOf: frame.bytes)
        self.adopt(
            frame.header, payload: frame.bytes[frame.header.headerByteCount...], at: frame.position, chain: chain)
        run = next
    }

    private mutating func adopt(_ header: FrameHeader, payload: Bytes, at position: Position, chain: FrameChain) {
        do {
            try self.history.apply(header, payload: payload, at: position, end: chain.tail)
        } catch {
            preconditionFailure("this node's own frame at \(position) contradicts its state: \(error)")
        }
        self.noteTrim(header, end: chain.tail)
        self.marks.append(chain, byteCount: Int(header.length))
    }

    /// Hands a run to the disk and to the followers' buffer, and tells the core.
    mutating func finish(_ run: PlacedRun?) {
        guard let run else { return }
        let end = self.chain.point
        let bytes = run.bytes[...]
        self.pace.placed(bytes.count, now: self.now.monotonic)
        self.buffer.append(
            .init(
                from: run.from, previous: run.previous, previousChecksum: run.previousChecksum, bytes: bytes, end: end,
                endChecksum: self.chain.previousChecksum),
            written: self.written.position)
        self.actions.append(.disk(.write(bytes, at: run.from, generation: self.diskGeneration)))
        self.membershipMayHaveChanged()
        let newTerm = self.history.current.terms.starts.last.flatMap { $0.position >= run.previous.position ? $0 : nil }
        self.consensus(.appended(through: end, newTerm: newTerm))
    }
}
