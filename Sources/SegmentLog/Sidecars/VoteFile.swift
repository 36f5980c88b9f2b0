import DiskIO
import LogModel

/// What VOTE says.
package enum StoredVote: Hashable, Sendable {
    case known(term: Term, vote: Member?)
    /// Both slots are bad: whom this node voted for is unknown, so this incarnation must not vote again.
    case unreadable
}

/// The file VOTE: term and vote of this node, in two slots (see ``VoteSlot``).
///
///     slot A at 0, slot B at 4,096
///
/// Slot A is written and synced, then slot B: a crash at any point leaves the old vote or the new one, and
/// nothing can damage both at once. Callable from any thread; calls are made one after the other.
package final class VoteFile: Sendable {
    private struct State {
        var current: StoredVote
        var sequence: UInt64
        var bar: VotingBar
        var vouched: LogPoint?
        var retirement: Retirement?
        var hasFailed = false
    }

    static let magic: UInt32 = 0x4F56_4648
    static let offsets = [0, 4096]
    static let byteCount = 8192

    private let file: any File
    private let state: Lock<State>

    /// Reads what is there. A slot that is behind the other is brought level first, so that a write torn later
    /// cannot uncover an older vote.
    init(_ file: any File) throws(LogError) {
        self.file = file
        let bytes = try disk { () throws(DiskError) in try file.read(at: 0, count: Self.byteCount) }
        let newest = VoteSlot.slots(file: bytes).compactMap { $0 }.max { $0.sequence < $1.sequence }
        self.state = Lock(
            State(
                current: newest.map { .known(term: $0.term, vote: $0.member) } ?? .unreadable,
                sequence: newest?.sequence ?? 0,
                bar: newest?.bar ?? .none,
                vouched: newest?.vouched,
                retirement: newest.map(\.retirement) ?? .votesLost
            )
        )
        guard let newest else { return }
        let encoded = newest.encoded()
        for offset in Self.offsets where !bytes.dropFirst(offset).starts(with: encoded) {
            try Self.write(encoded, at: offset, of: file)
        }
    }

    /// The bytes of a file in which nobody has voted.
    static func blank() -> [UInt8] {
        Self.bytes(VoteSlot(term: .zero, member: nil, bar: .none, sequence: 1))
    }

    /// Of a file that says this in both slots.
    static func bytes(_ slot: VoteSlot) -> [UInt8] {
        let slot = slot.encoded()
        var bytes = [UInt8](repeating: 0, count: Self.byteCount)
        for offset in Self.offsets { bytes.replaceSubrange(offset..<(offset + Slot.byteCount), with: slot) }
        return bytes
    }

    package var current: StoredVote { self.state.withLock { $0.current } }

    /// Why this node must not vote; survives restarts.
    package var bar: VotingBar { self.state.withLock { $0.bar } }
    /// The last point that a node barred until level may have vouched for; `nil` when nobody knows.
    package var vouched: LogPoint? { self.state.withLock { $0.vouched } }

    /// Why this incarnation neither votes nor counts any more; survives restarts.
    package var retirement: Retirement? { self.state.withLock { $0.retirement } }

    /// Makes the vote durable in both slots. Cost: two writes, two syncs.
    ///
    /// - Throws: ``LogError/storage(_:)`` or ``LogError/noSpace``: the vote counts as not given, every later call
    ///   throws ``LogError/failed``, and the process must stop.
    package func store(term: Term, vote: Member?) throws(LogError) {
        try self.state.withLock { (state) throws(LogError) in
            guard !state.hasFailed else { throw .failed }
            let slot = VoteSlot(
                term: term, member: vote, bar: state.bar, vouched: state.vouched, retirement: state.retirement,
                sequence: state.sequence + 1
            ).encoded()
            do throws(LogError) {
                for offset in Self.offsets { try Self.write(slot, at: offset, of: self.file) }
            } catch {
                state.hasFailed = true
                throw error
            }
            state.sequence += 1
            state.current = .known(term: term, vote: vote)
        }
    }

    /// Bars this node from voting: durable on return, before anything is done that makes it necessary.
    ///
    /// - Parameter vouched: The last point that it may have vouched for; `nil` when nobody knows.
    package func barUntilLevel(vouched: LogPoint? = nil) throws(LogError) {
        try self.change { state in
            // Barred twice, it may have vouched for more, or nobody knows.
            let before = state.bar == .none ? vouched : state.vouched
            state.vouched = vouched.flatMap { new in before.map { max($0, new) } }
            state.bar = .untilLevel
        }
    }

    /// The log is whole again.
    package func liftBar() throws(LogError) {
        guard self.bar != .none else { return }
        try self.change { state in
            state.bar = .none
            state.vouched = nil
        }
    }

    /// Ends this incarnation's part in elections and commits. Cost: as of a vote.
    package func retire(_ retirement: Retirement) throws(LogError) {
        try self.change { $0.retirement = retirement }
    }

    /// Begins a generation in which nobody has promised anything yet: what barred or retired this node ends with the one
    /// before.
    package func beginGeneration(term: Term, vote: Member) throws(LogError) {
        self.state.withLock { state in
            state.bar = .none
            state.vouched = nil
            state.retirement = nil
        }
        try self.store(term: term, vote: vote)
    }

    private func change(_ body: (inout State) -> Void) throws(LogError) {
        self.state.withLock { body(&$0) }
        if case .known(let term, let vote) = self.current {
            try self.store(term: term, vote: vote)
        } else {
            try self.store(term: .zero, vote: nil)
        }
    }

    private static func write(_ slot: [UInt8], at offset: Int, of file: any File) throws(LogError) {
        try disk { () throws(DiskError) in
            try file.write(slot.span.bytes, at: offset)
            try file.sync()
        }
    }
}
