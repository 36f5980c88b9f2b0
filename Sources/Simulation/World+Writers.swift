import LogModel
import ReplicaCore
import SegmentFormat

/// Clients that rely on what the log itself keeps: keys, conditions, fencing tokens, cursors.
extension World {
    func beginWriters() {
        for number in 0..<self.configuration.writerCount {
            self.writers.append(SimulatedWriter(number: UInt64(number + 1)))
            self.schedule(.writer(number), after: self.microseconds(1_000..<50_000))
        }
    }

    func writerActs(_ number: Int) throws(Violation) {
        let writer = self.writers[number]
        guard writer.attempt == nil, writer.goal.map({ writer.doneCount < $0 }) ?? true else { return }
        if writer.task == nil { self.writers[number].task = self.nextTask(of: number) }
        let target = writer.lastLeader ?? Int(self.random.next(in: 0..<UInt64(self.nodes.count)))
        let node = self.nodes[target]
        let request = self.lastRequest + 1
        let isByAll = request % 3 == 0
        guard node.isRunning, let submission = self.writers[number].submission(isByAll: isByAll) else {
            return self.writerWaits(number)
        }
        self.lastRequest = request
        self.writers[number].attempt = SimulatedWriter.Attempt(
            request: request, node: target, life: node.life, acknowledgedIndex: self.oracle.lastSeenIndex,
            acknowledgedToken: self.oracle.writers.acknowledgedToken, isByAll: isByAll)
        self.schedule(.writerGivesUp(number, request: request), after: self.microseconds(300_000..<1_500_000))
        try self.step(node, .proposed([Proposal(id: request, submission)]))
    }

    private func nextTask(of number: Int) -> SimulatedWriter.Task? {
        let writer = self.writers[number]
        switch self.random.next(in: 0..<10) {
        case 0:
            self.takesOver(number)
            return .fence(self.writers[number].token)
        case 1, 2:
            self.writers[number].cursorMoves += 1
            let isHolding = self.chance(1, of: 2)
            return .moveCursor(Cursor(index: LogIndex(writer.cursorMoves + 1), holdsTrims: isHolding))
        default:
            var conditions = AppendConditions()
            if self.chance(1, of: 2) { conditions.expectedNext = writer.nextIndex }
            if self.chance(1, of: 8) { self.takesOver(number) }
            if self.chance(1, of: 2) { conditions.fencingToken = self.writers[number].token }
            let key = IdempotencyKey(high: writer.number, low: writer.doneCount)
            let records = (0...self.random.next(in: 0..<3)).map { Record("writer \(key.high) key \(key.low) \($0)") }
            guard let draft = try? FrameDraft.records(records, label: .key(key)) else { return nil }
            let write = SimulatedWriter.Write(key: key, conditions: conditions, draft: draft)
            self.oracle.writers.asks(write)
            return .append(write)
        }
    }

    /// Whoever has a lower token is out, once the log has seen this one.
    private func takesOver(_ number: Int) {
        self.writers[number].token = self.oracle.writers.acknowledgedToken + 1
    }

    private func writerWaits(_ number: Int) {
        self.writers[number].lastLeader = nil
        self.schedule(.writer(number), after: self.microseconds(2_000..<30_000))
    }

    func writerGivesUp(_ number: Int, request: UInt64) {
        guard let attempt = self.writers[number].attempt, attempt.request == request else { return }
        if self.writers[number].isPatient, self.alive(attempt.node, attempt.life) != nil {
            return self.schedule(.writerGivesUp(number, request: request), after: self.microseconds(50_000..<100_000))
        }
        self.writers[number].attempt = nil
        self.writerWaits(number)
    }

    func writerAnswered(_ id: UInt64, _ result: Result<AppendOutcome, AppendFailure>) throws(Violation) {
        guard let number = self.writers.firstIndex(where: { $0.attempt?.request == id }),
            let attempt = self.writers[number].attempt, let task = self.writers[number].task
        else { return }
        self.writers[number].attempt = nil
        switch (task, result) {
        case (.append(let write), .success(let outcome)), (.append(let write), .failure(.notByAll(let outcome))):
            try self.oracle.writers.acknowledged(write, outcome, of: attempt)
            if attempt.isByAll, case .success = result { try self.acknowledgedByAll(outcome, at: attempt.node) }
            self.oracle.acknowledged(through: outcome.last)
            self.writers[number].nextIndex = outcome.last.advanced(by: 1)
            if outcome.isDuplicate { self.report.keysRepeated += 1 }
        case (.fence(let token), .success): self.oracle.writers.fenced(token)
        case (.moveCursor(let cursor), .success):
            self.oracle.writers.acknowledged(cursor, of: self.writers[number].cursorName)
        case (.append(let write), .failure(.conditionFailed(let next))):
            try self.oracle.writers.refused(write, .conditionFailed(next: next), of: attempt)
            self.writers[number].nextIndex = next
            self.report.conditionsRefused += 1
        case (.append(let write), .failure(.fenced(let token))):
            try self.oracle.writers.refused(write, .fenced(token: token), of: attempt)
            self.writerIsFenced(number, by: token)
        case (.fence, .failure(.fenced(let token))): self.writerIsFenced(number, by: token)
        case (_, .failure(let failure)): return self.writerTriesAgain(number, after: failure)
        }
        self.writers[number].task = nil
        self.writers[number].doneCount += 1
        self.schedule(.writer(number), after: self.microseconds(50..<40_000))
    }

    /// The disk of every voter has it now, and must still have it after whatever comes.
    private func acknowledgedByAll(_ outcome: AppendOutcome, at number: Int) throws(Violation) {
        let leader = self.nodes[number]
        let voters = leader.membership?.voting ?? []
        guard outcome.nodes == outcome.voters, outcome.voters == voters.count else {
            throw Violation(
                invariant: .acknowledgedByAll,
                detail: "\(outcome.first) by \(outcome.nodes) of \(outcome.voters) voters, "
                    + "of \(voters.count) that node \(number) knows")
        }
        self.report.acknowledgedByAll += 1
        // Under `os` nothing is promised beyond a loss of power; and what an old key appended may be trimmed.
        guard self.configuration.policy != .os,
            let frame = leader.log.frames.last(where: { $0.position == outcome.position })
        else { return }
        for voter in voters {
            let node = self.node(voter.node)
            // A disk that was lost since cannot be known to be.
            if node.member == voter { try node.mustHave(frame) }
        }
    }

    private func writerTriesAgain(_ number: Int, after failure: AppendFailure) {
        self.writerWaits(number)
        guard case .notLeader(let leader) = failure else { return }
        self.writers[number].lastLeader = leader.map { Int($0.rawValue) - 1 }
    }

    private func writerIsFenced(_ number: Int, by token: UInt64) {
        self.report.writersFenced += 1
        // Some do not give in at once, and are refused again.
        if self.chance(2, of: 3) { self.writers[number].token = token }
    }

    /// A linearizable read of all cursors.
    func cursorsRead(_ id: UInt64, at node: SimulatedNode) throws(Violation) {
        guard let known = self.cursorReads.removeValue(forKey: id) else { return }
        try self.oracle.writers.check(node.committedCursors, against: known)
        self.report.cursorsChecked += known.count
    }
}
