import LogModel
import LogState
import RaftCore
import SegmentFormat

/// What the log holds decides whether a proposal is placed: whether it was applied before, and whether its conditions hold.
extension ReplicaCore {
    enum Judgement {
        case place
        case answer(Result<AppendOutcome, AppendFailure>)
        /// An answer will come; nothing is placed.
        case wait
    }

    /// - Complexity: O(1), and nothing at all for records without label and conditions.
    mutating func judge(_ proposal: Proposal) -> Judgement {
        // First of all: what was applied is answered so, whatever has happened to the log since.
        switch proposal.submission.draft.label {
        case nil: break
        case .producer(let append):
            switch self.history.current.verdict(on: append) {
            case .new: break
            case .duplicate(let stored): return self.repeated(stored, by: proposal)
            case .duplicateForgotten, .expired: return self.deferred(.failure(.producerExpired), to: proposal)
            case .gap(let expected): return self.deferred(.failure(.producerGap(expected: expected)), to: proposal)
            }
        case .run(let first):
            // New altogether or not at all: what repeats only some of what is there has no one answer.
            guard self.history.current.verdict(on: first) != .new else { break }
            let expected = self.history.current.expectedSequence(of: first.producer)
            return self.deferred(
                .failure(expected.map { .producerGap(expected: $0) } ?? .producerExpired), to: proposal)
        case .key(let key):
            if let stored = self.history.current.append(of: key) { return self.repeated(stored, by: proposal) }
        }
        if let refusal = self.refusal(of: proposal.submission) { return self.deferred(.failure(refusal), to: proposal) }
        guard case .raiseFence(self.history.current.fencingToken) = proposal.submission.change else { return .place }
        return self.deferred(.success(self.outcomeAtTail), to: proposal)
    }

    private func refusal(of submission: Submission) -> AppendFailure? {
        if let token = submission.conditions.fencingToken, token < self.history.current.fencingToken {
            return .fenced(token: self.history.current.fencingToken)
        }
        if let expected = submission.conditions.expectedNext, expected != self.chain.nextIndex {
            return .conditionFailed(next: self.chain.nextIndex)
        }
        switch submission.change {
        case nil: return nil
        case .setCursor(let name, _): return self.history.current.cursors.hasRoom(for: name) ? nil : .tooManyCursors
        case .deleteCursor(let name): return self.history.current.cursors[name] == nil ? .noSuchCursor : nil
        case .raiseFence(let token):
            let current = self.history.current.fencingToken
            return token < current ? .fenced(token: current) : nil
        }
    }

    /// What a frame without records would be told if it were placed now.
    private var outcomeAtTail: AppendOutcome {
        AppendOutcome(
            first: self.chain.nextIndex, last: LogIndex(self.chain.nextIndex.rawValue - 1), position: self.chain.tail,
            term: self.raft.term, durability: self.configuration.durability, isDuplicate: true)
    }

    private mutating func repeated(_ stored: StoredAppend, by proposal: Proposal) -> Judgement {
        let outcome = AppendOutcome(
            first: stored.firstIndex, last: stored.lastIndex, position: stored.position, term: stored.term,
            durability: self.configuration.durability, isDuplicate: true)
        if self.configuration.raft.planted == .answerDuplicateAtOnce { return .answer(.success(outcome)) }
        // A duplicate of what is not committed shares its fate.
        self.await(outcome, of: proposal, end: stored.end)
        if stored.end <= self.commit { self.answerCommitted() }
        return .wait
    }

    private mutating func deferred(
        _ answer: Result<AppendOutcome, AppendFailure>, to proposal: Proposal
    ) -> Judgement {
        self.deferredAnswers.add(
            .init(id: proposal.id, answer: answer, tail: self.chain.tail, deadline: self.commitDeadline))
        self.consensus(.readAsked(id: proposal.id))
        return .wait
    }

    // MARK: When they are answered

    /// - Returns: Whether `id` is that of a deferred answer.
    mutating func confirmedAnswer(_ id: UInt64) -> Bool {
        guard self.deferredAnswers.confirm(id) else { return false }
        self.answerDeferred()
        return true
    }

    /// - Returns: Whether `id` is that of a deferred answer; it was not applied, and another node may say why.
    mutating func unconfirmedAnswer(_ id: UInt64) -> Bool {
        guard self.deferredAnswers.drop(id) else { return false }
        self.actions.append(.answer(id: id, .failure(.notLeader(leader: self.knownLeader))))
        return true
    }

    mutating func answerDeferred() {
        let done = self.deferredAnswers.committed(through: self.commit)
        guard !done.isEmpty else { return }
        let vouchers = self.raft.vouchers
        for done in done {
            let answer = done.answer.map { $0.vouched(by: vouchers, through: done.tail) }
            self.actions.append(.answer(id: done.id, answer))
        }
    }

    mutating func expireDeferred() {
        for id in self.deferredAnswers.expired(at: self.now.monotonic) {
            self.actions.append(.answer(id: id, .failure(.busy)))
        }
    }

    /// The tail that they rest on may go now.
    mutating func dropDeferred() {
        for id in self.deferredAnswers.removeConfirmed() {
            self.actions.append(.answer(id: id, .failure(.notLeader(leader: self.knownLeader))))
        }
    }
}
