import LogModel
import RaftCore

/// One node around a ``RaftCore``: a log of frames without bytes, a disk that forgets what was not synced.
final class TestNode {
    struct Frame: Hashable {
        var term: Term
        /// Stands for the bytes.
        var content: Int
        var start: Position
        var end: Position
    }

    static let frameByteCount = 100
    static let segmentByteCount: UInt32 = 600
    static let founding = Frame(term: .zero, content: 0, start: Position(0, 64), end: Position(0, 164))

    let member: Member
    let membership: Membership
    let planted: PlantedBug?
    var frames: [Frame]
    var durableCount: Int
    var core: RaftCore
    var storedHardState: HardState
    /// Votes on their way to the disk.
    var storing: [HardState] = []
    var starts = 0
    private let seed: UInt64

    init(
        _ id: UInt32, membership: Membership, frames: [Frame] = [founding],
        hardState: HardState = HardState(term: .zero, vote: nil), seed: UInt64, now: MonotonicTime = .zero,
        right: VotingRight = .held, planted: PlantedBug? = nil
    ) {
        self.member = testMember(id)
        self.membership = membership
        self.planted = planted
        self.frames = frames
        self.durableCount = frames.count
        self.storedHardState = hardState
        self.seed = seed
        self.core = Self.core(
            member: testMember(id), membership: membership, frames: frames, hardState: hardState, commit: .zero,
            right: right, now: now, seed: seed, planted: planted)
    }

    private static func core(
        member: Member, membership: Membership, frames: [Frame], hardState: HardState, commit: Position,
        right: VotingRight,
        now: MonotonicTime, seed: UInt64, planted: PlantedBug?
    ) -> RaftCore {
        RaftCore(
            configuration: RaftConfiguration(member: member, planted: planted),
            recovered: RaftRecovered(
                hardState: hardState, membership: membership, terms: Self.terms(of: frames),
                tail: Self.tail(of: frames), commit: commit, right: right),
            now: now, randomSeed: seed)
    }

    static func terms(of frames: [Frame]) -> [TermStart] {
        var starts: [TermStart] = []
        for (index, frame) in frames.enumerated() where frame.term != starts.last?.term {
            starts.append(TermStart(term: frame.term, firstIndex: LogIndex(UInt64(index + 1)), position: frame.start))
        }
        return starts
    }

    static func tail(of frames: [Frame]) -> LogPoint {
        frames.last.map { LogPoint(term: $0.term, position: $0.end) } ?? .zero
    }

    /// The next frame's place: in the next segment where this one is full, but for a term start.
    static func frame(after frames: [Frame], term: Term, content: Int) -> Frame {
        let tail = tail(of: frames)
        var start = tail.position
        if tail.term == term, start.offset + UInt32(frameByteCount) > segmentByteCount {
            start = Position(segment: start.segment.next, offset: 64)
        }
        return Frame(term: term, content: content, start: start, end: start.advanced(by: frameByteCount))
    }

    var tail: LogPoint { Self.tail(of: self.frames) }
    var terms: [TermStart] { Self.terms(of: self.frames) }
    var durableTail: LogPoint { Self.tail(of: Array(self.frames.prefix(self.durableCount))) }
    var committedFrames: ArraySlice<Frame> { self.frames.prefix { $0.end <= self.core.commit } }

    func truncate(to point: LogPoint) {
        self.frames.removeAll { $0.end > point.position }
        self.durableCount = min(self.durableCount, self.frames.count)
    }

    /// Loses what was not synced, but for `surviving` frames of it, and starts anew.
    func crash(surviving: Int = 0, commit: Position? = nil, now: MonotonicTime) {
        self.frames = Array(self.frames.prefix(self.durableCount + surviving))
        self.durableCount = self.frames.count
        self.storing = []
        self.starts += 1
        self.core = Self.core(
            member: self.member, membership: self.membership, frames: self.frames, hardState: self.storedHardState,
            commit: min(commit ?? self.core.commit, self.tail.position), right: .held, now: now,
            seed: self.seed &+ UInt64(self.starts) &* 1000, planted: self.planted)
    }
}

func testMember(_ id: UInt32) -> Member {
    Member(node: NodeID(id), incarnation: Incarnation(UInt64(id) + 0xA0))
}

func testMembership(_ count: Int) -> Membership {
    Membership(voters: (1...UInt32(count)).map(testMember))
}

func milliseconds(_ count: UInt64) -> MonotonicTime {
    MonotonicTime.zero.advanced(byMilliseconds: count)
}
