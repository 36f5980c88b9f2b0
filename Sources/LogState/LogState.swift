import LogModel
import SegmentFormat

/// What the log knows about itself at one position: who votes, where terms began, which appends were stored.
///
/// It is a function of the frames before, nothing else; so it is the same on every node, and the checkpoint at a
/// segment's start can be compared with the state computed.
package struct LogState: Hashable, Sendable {
    package static let encodedByteCountMax = LogStateLimits.encodedByteCountMax

    package internal(set) var membership: Membership
    package internal(set) var terms: TermTable
    /// The leader decided to remove everything before; `nil` until the first trim.
    package internal(set) var trimmedBefore: Position?
    /// Appends that name a lower token are refused.
    package internal(set) var fencingToken: UInt64 = 0
    package internal(set) var cursors = CursorTable()
    var producers: ProducerTable
    var keys = KeyTable()

    /// The state in the first frame of segment 0.
    package init(founding membership: Membership) {
        self.init(membership: membership, terms: TermTable(), trimmedBefore: nil, producers: ProducerTable())
    }

    init(membership: Membership, terms: TermTable, trimmedBefore: Position?, producers: ProducerTable) {
        self.membership = membership
        self.terms = terms
        self.trimmedBefore = trimmedBefore
        self.producers = producers
    }

    /// The first record that a cursor holds: no trim may take it.
    package var heldIndex: LogIndex? { self.cursors.heldIndex }
    package var producerCount: Int { self.producers.results.count }
    package var idempotencyKeyCount: Int { self.keys.count }

    /// - Complexity: O(1).
    package func verdict(on append: ProducerSequence) -> ProducerVerdict {
        self.producers.verdict(on: append)
    }

    /// The sequence that the next append of `producer` carries; `nil` for one that is not known.
    ///
    /// - Complexity: O(1).
    package func expectedSequence(of producer: UInt64) -> UInt64? {
        self.producers.results[producer]?.last.map { $0.sequence + 1 }
    }

    /// What became of the append with this key; `nil` for a new one, and for one that was let go.
    ///
    /// - Complexity: O(1).
    package func append(of key: IdempotencyKey) -> StoredAppend? { self.keys[key] }
}

extension LogState {
    /// How to take back one frame; taken back in reverse order.
    package struct Undo: Hashable, Sendable {
        enum Change: Hashable, Sendable {
            case none
            case producer(ProducerTable.Undo)
            case key(KeyTable.Undo)
            case cursor(CursorTable.Undo)
            /// The token before.
            case fence(UInt64)
            case membership(Membership)
            case trim(Position?)
        }

        var change: Change
        var isNewTerm = false
        /// The term that left the table for the new one.
        var oldestTerm: TermStart?
    }

    /// Applies one frame, of any kind, whose place in the log was checked (``FrameChain``).
    ///
    /// A checkpoint must equal the state before it.
    /// - Throws: ``LogStateError``; nothing has changed then.
    /// - Complexity: O(1), but for checkpoints, and for a new producer when the table is full.
    package mutating func apply(
        _ header: FrameHeader, payload: Bytes, at position: Position
    ) throws(LogStateError) -> Undo {
        // A checkpoint that this node did not make itself may name terms that begin behind it.
        if let last = self.terms.starts.last, last.term != header.term {
            guard last.term < header.term, last.position < position, last.firstIndex <= header.firstIndex else {
                throw .notCanonical(.terms)
            }
        }
        var undo = Undo(change: try self.change(by: header, payload: payload, at: position))
        if self.terms.starts.last?.term != header.term {
            undo.isNewTerm = true
            undo.oldestTerm = self.terms.append(
                term: header.term, firstIndex: header.firstIndex, position: position)
        }
        return undo
    }

    /// Notes the term of a frame that changes nothing else: records without a label.
    package mutating func note(term: Term, firstIndex: LogIndex, position: Position) {
        self.terms.append(term: term, firstIndex: firstIndex, position: position)
    }

    private mutating func change(
        by header: FrameHeader, payload: Bytes, at position: Position
    ) throws(LogStateError) -> Undo.Change {
        switch header.kind {
        case .records:
            return try self.applyAppend(header, at: position)
        case .termStart:
            guard payload.isEmpty else { throw .unexpectedPayload(header.kind) }
            return .none
        case .membership:
            let membership = try Membership(decoding: payload)
            defer { self.membership = membership }
            return .membership(self.membership)
        case .checkpoint:
            guard try LogState(decoding: payload) == self else { throw .checkpointDiffers }
            return .none
        case .trim:
            var reader = StateReader(payload)
            let trimmed = try reader.position()
            try reader.finish()
            if let before = self.trimmedBefore, trimmed < before { throw .trimWentBack(from: before, to: trimmed) }
            defer { self.trimmedBefore = trimmed }
            return .trim(self.trimmedBefore)
        case .cursor, .fence:
            return try self.apply(try StateChange.decode(payload, of: header.kind))
        }
    }

    private mutating func apply(_ change: StateChange) throws(LogStateError) -> Undo.Change {
        switch change {
        case .setCursor(let name, let cursor): return .cursor(try self.cursors.set(name, to: cursor))
        case .deleteCursor(let name): return .cursor(try self.cursors.delete(name))
        case .raiseFence(let token):
            guard token > self.fencingToken else { throw .fenceNotRaised(from: self.fencingToken, to: token) }
            defer { self.fencingToken = token }
            return .fence(self.fencingToken)
        }
    }

    private mutating func applyAppend(
        _ header: FrameHeader, at position: Position
    ) throws(LogStateError) -> Undo.Change {
        switch header.label {
        case nil: return .none
        case .key(let key):
            guard self.keys[key] == nil else { throw .keyRepeated(key) }
            return .key(self.keys.append(StoredAppend(header, at: position), of: key))
        case .producer(let append):
            try self.checkNew(append)
            let result = ProducerResult(sequence: append.sequence, append: StoredAppend(header, at: position))
            return .producer(self.producers.append(result, of: append.producer))
        case .run(let append):
            try self.checkNew(append)
            let count = UInt64(header.recordCount)
            let kept = min(count, UInt64(LogStateLimits.resultsPerProducerMax))
            let run = (count - kept..<count).map { number in
                ProducerResult(
                    sequence: append.sequence + number, append: StoredAppend(header, at: position, number: number))
            }
            return .producer(self.producers.append(run: run, of: append.producer))
        }
    }

    private func checkNew(_ append: ProducerSequence) throws(LogStateError) {
        guard self.producers.verdict(on: append) == .new else {
            let last = self.producers.results[append.producer]?.last?.sequence ?? 0
            throw .producerOutOfSequence(append, last: last)
        }
    }

    /// Takes back the newest frame that was applied and not yet taken back.
    package mutating func undo(_ undo: Undo) {
        if undo.isNewTerm { self.terms.undoAppend(oldest: undo.oldestTerm) }
        switch undo.change {
        case .none: break
        case .producer(let undo): self.producers.undo(undo)
        case .key(let undo): self.keys.undo(undo)
        case .cursor(let undo): self.cursors.undo(undo)
        case .fence(let token): self.fencingToken = token
        case .membership(let membership): self.membership = membership
        case .trim(let position): self.trimmedBefore = position
        }
    }

    /// The payload of a trim frame.
    package static func trimPayload(before position: Position) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(position)
        return bytes
    }
}
