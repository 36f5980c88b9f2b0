import LogModel
import LogState
import SegmentFormat

/// A log's frames without a log: places frames one behind the other and hands them to a closure.
struct LogWriter {
    var chain = FrameChain(empty: ClusterID(high: 1, low: 2))
    var term = Term.zero

    init(after position: Position = Position(0, 200)) {
        self.chain.tail = position
        self.chain.previousChecksum = 1
    }

    mutating func place(_ draft: FrameDraft) -> PlacedFrame {
        self.chain.place(draft, term: self.term, node: NodeID(1), timestamp: .zero)
    }

    mutating func append(_ producer: UInt64, _ sequence: UInt64, records: Int = 1) throws -> PlacedFrame {
        self.place(
            try .records(
                [Record](repeating: Record("x"), count: records),
                producer: ProducerSequence(producer: producer, sequence: sequence)))
    }

    /// So many appends of one record each, in one frame.
    mutating func run(_ producer: UInt64, from sequence: UInt64, count: Int) throws -> PlacedFrame {
        self.place(
            try .records(
                [Record](repeating: Record("x"), count: count),
                label: .run(from: ProducerSequence(producer: producer, sequence: sequence))))
    }

    mutating func append(key: UInt64, records: Int = 1) throws -> PlacedFrame {
        self.place(
            try .records(
                [Record](repeating: Record("x"), count: records), label: .key(IdempotencyKey(high: key, low: ~key))))
    }

    /// Begins a segment with a checkpoint of `state`.
    mutating func rotate(_ state: LogState) -> PlacedFrame {
        _ = self.chain.startSegment()
        return self.place(.control(.checkpoint, payload: state.encoded()))
    }
}

extension LogState {
    mutating func apply(_ frame: PlacedFrame) throws(LogStateError) -> Undo {
        try self.apply(frame.header, payload: frame.payload, at: frame.position)
    }
}

extension LogStateHistory {
    mutating func apply(_ frame: PlacedFrame) throws(LogStateError) {
        try self.apply(frame.header, payload: frame.payload, at: frame.position, end: frame.end)
    }
}

/// splitmix64: a failing seed fails again.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        self.state = seed
    }

    mutating func next() -> UInt64 {
        self.state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = self.state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}

/// Any frame that may come next, often rare ones.
struct RandomLog {
    var writer = LogWriter()
    var random: SeededGenerator

    init(seed: UInt64) {
        self.random = SeededGenerator(seed: seed)
    }

    mutating func next(after state: LogState) throws -> PlacedFrame {
        if Int.random(in: 0..<8, using: &self.random) == 0 { self.writer.term = self.writer.term.next }
        switch Int.random(in: 0..<24, using: &self.random) {
        case 0: return self.writer.place(.control(.termStart, payload: []))
        case 1:
            let voters = (1...UInt32.random(in: 1...5, using: &self.random)).map {
                Member(node: NodeID($0), incarnation: Incarnation(self.random.next()))
            }
            return self.writer.place(.control(.membership, payload: Membership(voters: voters).encoded()))
        case 2:
            return self.writer.place(
                .control(.trim, payload: LogState.trimPayload(before: self.writer.chain.tail)))
        case 3: return self.writer.rotate(state)
        case 4: return self.writer.place(try .records([Record("no label")]))
        case 5:
            let token = state.fencingToken + UInt64.random(in: 1...9, using: &self.random)
            return self.writer.place(StateChange.raiseFence(to: token).draft)
        case 6, 7: return self.writer.place(self.cursorChange(after: state).draft)
        case 8...15: return try self.writer.append(key: self.random.next())
        default:
            // Few enough to reach 16 results, many enough to evict.
            let producer =
                Bool.random(using: &self.random)
                ? UInt64.random(in: 1...4, using: &self.random) : UInt64.random(in: 5...700, using: &self.random)
            let sequence =
                switch state.verdict(on: ProducerSequence(producer: producer, sequence: .max)) {
                case .gap(let expected): expected
                default: UInt64(1)
                }
            let count = Int.random(in: 1...3, using: &self.random)
            guard producer.isMultiple(of: 3) else { return try self.writer.append(producer, sequence, records: count) }
            return try self.writer.run(producer, from: sequence, count: count == 3 ? 19 : count)
        }
    }

    private mutating func cursorChange(after state: LogState) -> StateChange {
        let known = state.cursors.byName.map(\.name)
        if let name = known.randomElement(using: &self.random),
            known.count == LogStateLimits.cursorsMax || Bool.random(using: &self.random)
        {
            return .deleteCursor(name)
        }
        guard let name = CursorName("reader-\(Int.random(in: 0..<300, using: &self.random))") else {
            preconditionFailure("no name")
        }
        let index = LogIndex(UInt64.random(in: 1...1_000, using: &self.random))
        return .setCursor(name, Cursor(index: index, holdsTrims: Bool.random(using: &self.random)))
    }
}
