import LogModel
import LogState
import SegmentFormat

enum CheckpointTarget: FuzzTarget {
    static let name = "checkpoint"

    static var seeds: [[UInt8]] {
        let founding = LogState(founding: Samples.members)
        return [LogState(founding: Membership()).encoded(), founding.encoded(), Self.grown(founding).encoded()]
    }

    /// With terms, a trim, producers, keys, cursors and a fencing token.
    static func grown(_ state: LogState) -> LogState {
        var state = state
        var chain = FrameChain(empty: Samples.cluster)
        chain.tail = Position(0, 200)
        let drafts: [FrameDraft?] =
            [.control(.trim, payload: LogState.trimPayload(before: Position(0, 64)))]
            + (1...20).map { number in
                try? .records(
                    Samples.records, producer: ProducerSequence(producer: 7 + number % 2, sequence: (number + 1) / 2))
            }
            + (1...3).map { number in
                try? .records([Record("k")], label: .key(IdempotencyKey(high: number, low: 9)))
            } + Self.changes.map(\.draft)
        for (term, draft) in drafts.enumerated() {
            guard let draft else { continue }
            let frame = chain.place(draft, term: Term(UInt64(term / 4)), node: NodeID(1), timestamp: .zero)
            _ = try? state.apply(frame.header, payload: frame.payload, at: frame.position)
        }
        return state
    }

    static var changes: [StateChange] {
        let cursors = ["a", "jobs.v2"].compactMap { CursorName($0) }.map {
            StateChange.setCursor($0, Cursor(index: LogIndex(3), holdsTrims: $0.text == "a"))
        }
        return cursors + [.raiseFence(to: 5)]
    }

    static func test(_ input: [UInt8]) {
        guard let state = try? LogState(decoding: input[...]) else { return }
        precondition(state.encoded() == input, "another form of the same state")
        precondition(input.count <= LogState.encodedByteCountMax, "a state of \(input.count) bytes")
        state.terms.validate()
        // Whatever was decoded answers, and takes frames.
        for producer in 0...8 as ClosedRange<UInt64> {
            _ = state.verdict(on: ProducerSequence(producer: producer, sequence: .max))
            _ = state.verdict(on: ProducerSequence(producer: producer, sequence: 1))
            _ = state.append(of: IdempotencyKey(high: producer, low: 9))
        }
        Self.apply(to: state)
    }
}

extension CheckpointTarget {
    /// Frames that may come behind a checkpoint, if its state has room for them; taken back, the state is as before.
    private static func apply(to state: LogState) {
        var chain = FrameChain(empty: Samples.cluster)
        chain.tail = Position(1, 200)
        var after = state
        var undos: [LogState.Undo] = []
        for term in [0, 1, 1 << 40] as [UInt64] {
            let frame = chain.place(
                .control(.termStart, payload: []), term: Term(term), node: NodeID(1), timestamp: .zero)
            let before = after
            if let undo = try? after.apply(frame.header, payload: frame.payload, at: frame.position) {
                undos.append(undo)
            } else {
                precondition(after == before, "a refused frame changed the state")
            }
        }
        for undo in undos.reversed() { after.undo(undo) }
        precondition(after == state, "taking frames back does not give the state before")
    }
}

enum MembershipTarget: FuzzTarget {
    static let name = "membership"

    static var seeds: [[UInt8]] { [Membership().encoded(), Samples.members.encoded(), Samples.joint.encoded()] }

    static func test(_ input: [UInt8]) {
        guard let membership = try? Membership(decoding: input[...]) else { return }
        precondition(membership.encoded() == input, "another form of the same membership")
        precondition(membership.fits)
        precondition(membership.hasQuorum { _ in true } == !membership.voters.isEmpty)
    }
}

/// Shipped bytes at the end of a log whose first segment is known: `u8 0 as it is, 1 repaired | bytes`.
enum ShippedRangeTarget: FuzzTarget {
    static let name = "shipped-range"

    /// Behind segment 0's checkpoint.
    private static let start: (chain: FrameChain, state: LogState) = {
        var chain = FrameChain(empty: Samples.cluster)
        _ = chain.startSegment()
        var state = LogState(founding: Samples.members)
        let checkpoint = chain.place(
            .control(.checkpoint, payload: state.encoded()), term: .zero, node: NodeID(1), timestamp: .zero)
        _ = try? state.apply(checkpoint.header, payload: checkpoint.payload, at: checkpoint.position)
        return (chain, state)
    }()

    /// What a leader would ship next.
    static var frames: [PlacedFrame] { Self.frames(behind: Self.start.chain) }

    static func frames(behind chain: FrameChain) -> [PlacedFrame] {
        var chain = chain
        let drafts: [FrameDraft?] = [
            .control(.termStart, payload: []),
            try? .records(Samples.records),
            try? .records([Record("x")], producer: ProducerSequence(producer: 7, sequence: 1)),
            .control(.membership, payload: Samples.members.encoded()),
            .control(.trim, payload: LogState.trimPayload(before: Position(0, 64))),
            try? .records([Record("y")], producer: ProducerSequence(producer: 7, sequence: 2)),
            try? .records([Record("z")], label: .key(IdempotencyKey(high: 1, low: 2))),
            StateChange.raiseFence(to: 3).draft,
            CursorName("jobs").map { StateChange.setCursor($0, Cursor(index: .first)).draft },
            CursorName("jobs").map { StateChange.deleteCursor($0).draft },
        ]
        return drafts.compactMap { $0 }.enumerated().map { number, draft in
            chain.place(draft, term: Term(1), node: NodeID(1), timestamp: Timestamp(nanoseconds: UInt64(number)))
        }
    }

    static var seeds: [[UInt8]] {
        let bytes = Self.frames.flatMap(\.bytes)
        var chain = Self.start.chain
        let header = chain.startSegment()
        let checkpoint = chain.place(
            .control(.checkpoint, payload: Self.start.state.encoded()), term: Term(1), node: NodeID(1), timestamp: .zero
        )
        return [[0] + bytes, [1] + bytes, [0] + header + checkpoint.bytes, [1] + header + checkpoint.bytes]
    }

    static func test(_ input: [UInt8]) {
        guard let mode = input.first else { return }
        var bytes = Array(input.dropFirst())
        let magic = SegmentHeader.magic
        let beginsSegment = bytes.count >= 4 && Repair.load(bytes, at: 0) == magic
        if mode & 1 == 1 {
            let first = beginsSegment ? SegmentHeader.byteCount : 0
            if beginsSegment { Repair.segmentHeader(&bytes) }
            Repair.frames(&bytes, from: first, previous: Self.start.chain.previousChecksum)
        }
        Self.check(bytes[...], at: beginsSegment ? Position(1, 0) : Self.start.chain.tail)
    }

    private static func check(_ bytes: Bytes, at position: Position) {
        var (chain, state) = Self.start
        var end = position.offset == 0 ? Position(1, UInt32(SegmentHeader.byteCount)) : position
        var undos: [LogState.Undo] = []
        var isApplied = true
        let error: FrameDefect?
        do throws(FrameDefect) {
            try chain.accept(range: bytes, at: position) { header, frame, start in
                precondition(start == end && frame.count == Int(header.length), "frames that do not touch")
                end = start.advanced(by: frame.count)
                guard isApplied else { return }
                if let undo = try? state.apply(header, payload: frame.dropFirst(header.headerByteCount), at: start) {
                    undos.append(undo)
                } else {
                    isApplied = false
                }
            }
            error = nil
        } catch {
            end = chain.tail
            return Self.takeBack(undos, of: &state)
        }
        precondition(error == nil && chain.tail == end, "the chain ends elsewhere")
        if position.offset != 0 { precondition(end == position.advanced(by: bytes.count), "bytes were passed over") }
        Self.takeBack(undos, of: &state)
    }

    /// Taking back all frames gives the state before them.
    private static func takeBack(_ undos: [LogState.Undo], of state: inout LogState) {
        for undo in undos.reversed() { state.undo(undo) }
        precondition(state == Self.start.state, "taking frames back does not give the state before")
    }
}
