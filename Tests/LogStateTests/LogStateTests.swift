import LogModel
import LogState
import SegmentFormat
import Testing

struct LogStateTests {
    @Test(arguments: 0..<8)
    func `undoing frames gives back every earlier state`(seed: UInt64) throws {
        var log = RandomLog(seed: seed)
        var state = LogState(founding: Membership())
        var earlier: [(state: LogState, undo: LogState.Undo)] = []
        for _ in 0..<400 {
            let before = state
            let undo = try state.apply(try log.next(after: state))
            earlier.append((before, undo))
        }
        for step in earlier.reversed() {
            state.undo(step.undo)
            #expect(state == step.state)
        }
    }

    @Test(arguments: 0..<4)
    func `the state survives encoding at any point`(seed: UInt64) throws {
        var log = RandomLog(seed: 100 + seed)
        var state = LogState(founding: Membership())
        for step in 0..<1_500 {
            _ = try state.apply(try log.next(after: state))
            guard step % 50 == 0 else { continue }
            let bytes = state.encoded()
            let decoded = try LogState(decoding: bytes[...])
            #expect(decoded == state)
            #expect(decoded.encoded() == bytes)
        }
    }

    @Test func `a checkpoint that says something else is refused`() throws {
        let founders = Membership(voters: [Member(node: NodeID(1), incarnation: Incarnation(1))])
        var writer = LogWriter(after: .zero)
        var state = LogState(founding: founders)
        _ = try state.apply(writer.rotate(state))
        #expect(state.terms.starts == [TermStart(term: .zero, firstIndex: .first, position: Position(0, 64))])

        let before = state
        let frame = writer.rotate(LogState(founding: Membership()))
        #expect(throws: LogStateError.checkpointDiffers) { try state.apply(frame) }
        #expect(state == before)
    }

    @Test func `the newest membership applies and is taken back`() throws {
        var writer = LogWriter()
        let one = Membership(voters: [Member(node: NodeID(1), incarnation: Incarnation(1))])
        var state = LogState(founding: one)
        let two = Membership(voters: one.voters + [Member(node: NodeID(2), incarnation: Incarnation(2))])
        let undo = try state.apply(writer.place(.control(.membership, payload: two.encoded())))
        #expect(state.membership == two)
        state.undo(undo)
        #expect(state.membership == one)
    }

    @Test func `a trim never goes back`() throws {
        var writer = LogWriter()
        var state = LogState(founding: Membership())
        let later = writer.place(.control(.trim, payload: LogState.trimPayload(before: Position(3, 0))))
        let earlier = writer.place(.control(.trim, payload: LogState.trimPayload(before: Position(2, 0))))
        _ = try state.apply(later)
        #expect(throws: LogStateError.trimWentBack(from: Position(3, 0), to: Position(2, 0))) {
            try state.apply(earlier)
        }
        #expect(state.trimmedBefore == Position(3, 0))
    }

    @Test func `a fencing token only rises, and comes back when its frame is taken back`() throws {
        var writer = LogWriter()
        var state = LogState(founding: Membership())
        _ = try state.apply(writer.place(StateChange.raiseFence(to: 3).draft))
        let undo = try state.apply(writer.place(StateChange.raiseFence(to: 7).draft))
        for token in [0, 3, 7] as [UInt64] {
            let frame = writer.place(StateChange.raiseFence(to: token).draft)
            #expect(throws: LogStateError.fenceNotRaised(from: 7, to: token)) { try state.apply(frame) }
        }
        #expect(state.fencingToken == 7)
        state.undo(undo)
        #expect(state.fencingToken == 3)
    }

    @Test func `control frames whose payload is not theirs are refused`() throws {
        var writer = LogWriter()
        var state = LogState(founding: Membership())
        let before = state
        for kind in [FrameKind.cursor, .fence] {
            let frame = writer.place(.control(kind, payload: []))
            #expect(throws: LogStateError.truncated) { try state.apply(frame) }
        }
        let fence = writer.place(.control(.fence, payload: [UInt8](repeating: 1, count: 9)))
        #expect(throws: LogStateError.trailingBytes(1)) { try state.apply(fence) }
        let start = writer.place(.control(.termStart, payload: [1]))
        #expect(throws: LogStateError.unexpectedPayload(.termStart)) { try state.apply(start) }
        let membership = writer.place(.control(.membership, payload: [2]))
        #expect(throws: LogStateError.truncated) { try state.apply(membership) }
        #expect(state == before)
    }

    @Test func `a frame of another term that begins before the last one known is refused`() throws {
        var state = LogState(founding: Membership())
        var later = LogWriter(after: Position(3, 1_000))
        later.term = Term(5)
        _ = try state.apply(later.place(.control(.termStart, payload: [])))
        let known = state
        for (term, position) in [
            (Term(6), Position(3, 500)), (Term(4), Position(4, 500)), (Term(6), Position(3, 1_000)),
        ] {
            var writer = LogWriter(after: position)
            writer.term = term
            let frame = writer.place(.control(.termStart, payload: []))
            #expect(throws: LogStateError.notCanonical(.terms)) { try state.apply(frame) }
            #expect(state == known)
        }
    }
}
