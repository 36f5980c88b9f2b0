import LogModel
import LogState
import SegmentFormat

/// Where the log begins after a trim.
package struct TrimOutcome: Hashable, Sendable {
    /// The index of the first record that is kept, whether or not it is there yet.
    package var firstIndex: LogIndex
    package var first: SegmentID

    package init(firstIndex: LogIndex, first: SegmentID) {
        self.firstIndex = firstIndex
        self.first = first
    }
}

/// Why a trim was not confirmed, by what the caller can do. Asking again is always safe.
package enum TrimFailure: Error, Hashable, Sendable {
    /// Ask the leader. Not applied.
    case notLeader(leader: NodeID?)
    /// Too many trims wait for their commit already. Not applied.
    case busy
    /// No quorum answered in time. May still be applied.
    case timedOut
    /// Another node leads now. May still be applied.
    case leadershipLost
    /// The node stops. May still be applied.
    case shuttingDown
}

/// Replicated trim: the leader decides, in a frame, where the log begins; each node removes its files once that frame is
/// committed.
///
///     trimAsked --> trim frame --> committed --> disk job, answer
///         '--- decided before ---> proof of leadership --> answer
extension ReplicaCore {
    /// The lowest index that must stay, whoever asks for a trim: what reads the log durably has its say here.
    private var lowestHeldIndex: LogIndex? { self.history.current.heldIndex }

    /// Whole sealed segments go that hold only records before `index`. A full disk does not refuse it: the frame may use
    /// the reserve, and frees the space that everybody waits for.
    mutating func trimAsked(_ id: UInt64, before index: LogIndex) {
        guard self.raft.role == .leader, self.handover == nil else {
            let leader = self.raft.role == .leader ? nil : self.knownLeader
            return self.actions.append(.trimmed(id: id, .failure(.notLeader(leader: leader))))
        }
        guard self.trims.count < self.configuration.limits.pendingRequestCountMax else {
            return self.actions.append(.trimmed(id: id, .failure(.busy)))
        }
        let held = self.lowestHeldIndex.map { min($0, index) } ?? index
        var first = self.segments.firstKept(before: held, committedThrough: self.commit)
        // Which records a damaged segment holds is not known for sure.
        if let damaged = self.repairs.lowest { first = min(first, max(damaged, self.segments.first)) }
        if first > self.trimMarks.newest { self.placeTrim(before: first) }
        let end = self.trimMarks.uncommittedEnd
        self.trims.add(id, end: end, until: self.commitDeadline)
        if end == nil { self.consensus(.readAsked(id: id)) }
        self.drainEffects()
        self.shipToAll()
    }

    private mutating func placeTrim(before first: SegmentID) {
        let payload = LogState.trimPayload(before: Position(segment: first, offset: 0))
        self.placeControl(.control(.trim, payload: payload))
    }

    /// To be called for each frame that is taken into the state.
    mutating func noteTrim(_ header: FrameHeader, end: Position) {
        guard header.kind == .trim, let before = self.history.current.trimmedBefore else { return }
        self.trimMarks.append(before.segment, end: end)
    }

    /// What is decided is carried out, here and on every node; whoever asked learns where the log begins.
    mutating func trimsCommitted(through position: Position) {
        if self.trimMarks.commit(through: position) { self.carryOutTrim() }
        for id in self.trims.committed(through: position) { self.answerTrim(id) }
    }

    /// Also at the start: a committed trim that was not carried out before.
    mutating func carryOutTrim() {
        let first = self.trimMarks.committed
        guard first > self.segments.first else { return }
        self.segments.trim(before: first)
        self.repairs.trimmed(before: first)
        self.repairsChanged()
        self.actions.append(.disk(.trim(before: Position(segment: first, offset: 0))))
        self.actions.append(.note(.trimmed(before: first)))
    }

    /// - Returns: Whether the proof of leadership was asked for by a trim.
    mutating func trimConfirmed(_ id: UInt64) -> Bool {
        guard self.trims.confirmed(id) else { return false }
        self.answerTrim(id)
        return true
    }

    mutating func trimUnconfirmed(_ id: UInt64) -> Bool {
        guard self.trims.confirmed(id) else { return false }
        self.actions.append(.trimmed(id: id, .failure(.notLeader(leader: self.knownLeader))))
        return true
    }

    mutating func endTrims(_ ids: [UInt64], _ failure: TrimFailure) {
        for id in ids { self.actions.append(.trimmed(id: id, .failure(failure))) }
    }

    private mutating func answerTrim(_ id: UInt64) {
        let outcome = TrimOutcome(firstIndex: self.segments.firstIndex, first: self.segments.first)
        self.actions.append(.trimmed(id: id, .success(outcome)))
    }
}
