import DiskIO
import LogModel

/// What VOTE says.
package enum StoredVote: Hashable, Sendable {
    case known(term: Term, vote: Member?)
    /// Both slots are bad: whom this node voted for is unknown, so it must not vote again.
    case unreadable
}

/// The file VOTE: term and vote of this node, in two slots (see `Slot`).
///
///     words 0-1 term | 2-3 incarnation | 4 node | 5-10 zero        flags: 1 = has voted, 2 = barred from voting
///     slot A at 0, slot B at 4,096
///
/// Slot A is written and synced, then slot B: a crash at any point leaves the old vote or the new one, and
/// nothing can damage both at once. Callable from any thread; calls are made one after the other.
package final class VoteFile: Sendable {
    private struct State {
        var current: StoredVote
        var sequence: UInt64
        var isBarred: Bool
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
        let newest = Slot.newest(of: bytes, at: Self.offsets, magic: Self.magic)
        self.state = Lock(
            State(
                current: newest.map(Self.vote) ?? .unreadable,
                sequence: newest?.sequence ?? 0,
                isBarred: newest.map { $0.flags & 2 != 0 } ?? true
            )
        )
        guard let newest else { return }
        let encoded = newest.encoded(magic: Self.magic)
        for offset in Self.offsets where !bytes.dropFirst(offset).starts(with: encoded) {
            try Self.write(encoded, at: offset, of: file)
        }
    }

    /// The bytes of a file in which nobody has voted.
    static func blank() -> [UInt8] {
        let slot = Self.slot(term: .zero, vote: nil, isBarred: false, sequence: 1)
        var bytes = [UInt8](repeating: 0, count: Self.byteCount)
        for offset in Self.offsets { bytes.replaceSubrange(offset..<(offset + Slot.byteCount), with: slot) }
        return bytes
    }

    package var current: StoredVote { self.state.withLock { $0.current } }

    /// Whether the file was ever found unreadable; survives restarts.
    package var isBarred: Bool { self.state.withLock { $0.isBarred } }

    /// Makes the vote durable in both slots. Cost: two writes, two syncs.
    ///
    /// - Throws: ``LogError/storage(_:)`` or ``LogError/noSpace``: the vote counts as not given, every later call
    ///   throws ``LogError/failed``, and the process must stop.
    package func store(term: Term, vote: Member?) throws(LogError) {
        try self.state.withLock { (state) throws(LogError) in
            guard !state.hasFailed else { throw .failed }
            let slot = Self.slot(term: term, vote: vote, isBarred: state.isBarred, sequence: state.sequence + 1)
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

    /// Bars this incarnation from voting for good: its tail or its votes are unknown.
    package func bar() throws(LogError) {
        self.state.withLock { $0.isBarred = true }
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

    private static func slot(term: Term, vote: Member?, isBarred: Bool, sequence: UInt64) -> [UInt8] {
        let words =
            Slot.split(term.rawValue) + Slot.split(vote?.incarnation.rawValue ?? 0)
            + [vote?.node.rawValue ?? 0] + [UInt32](repeating: 0, count: 6)
        let flags: UInt16 = (vote == nil ? 0 : 1) | (isBarred ? 2 : 0)
        return Slot(flags: flags, sequence: sequence, words: words).encoded(magic: Self.magic)
    }

    private static func vote(_ slot: Slot) -> StoredVote {
        let member = Member(node: NodeID(slot.words[4]), incarnation: Incarnation(slot.number(at: 2)))
        return .known(term: Term(slot.number(at: 0)), vote: slot.flags & 1 != 0 ? member : nil)
    }
}
