import LogModel
import LogState
import SegmentFormat
import Testing

struct LogStateHistoryTests {
    @Test(arguments: 0..<8)
    func `truncation gives back the state of that time, whatever was committed before`(seed: UInt64) throws {
        var log = RandomLog(seed: 200 + seed)
        let start = log.writer.chain.tail
        var history = LogStateHistory(state: LogState(founding: Membership()), at: start)
        var ends: [(chain: FrameChain, state: LogState)] = [(log.writer.chain, history.current)]
        for _ in 0..<60 {
            for _ in 0..<Int.random(in: 1...40, using: &log.random) {
                try history.apply(try log.next(after: history.current))
                ends.append((log.writer.chain, history.current))
            }
            #expect(history.tail == ends.last?.chain.tail)
            let committed = Int.random(in: 0..<ends.count, using: &log.random)
            history.commit(through: ends[committed].chain.tail)
            #expect(history.committedThrough == ends[committed].chain.tail)
            ends.removeFirst(committed)
            #expect(history.uncommittedCount == ends.count - 1)

            let kept = Int.random(in: 0..<ends.count, using: &log.random)
            history.truncate(from: ends[kept].chain.tail)
            ends.removeLast(ends.count - 1 - kept)
            #expect(history.current == ends[kept].state)
            #expect(history.tail == ends[kept].chain.tail)
            log.writer.chain = ends[kept].chain
            log.writer.term = ends[kept].chain.term.next
        }
    }

    @Test func `an earlier commit position changes nothing`() throws {
        var writer = LogWriter()
        var history = LogStateHistory(state: LogState(founding: Membership()), at: writer.chain.tail)
        try history.apply(try writer.append(1, 1))
        let end = writer.chain.tail
        history.commit(through: end)
        history.commit(through: Position(0, 200))
        #expect(history.committedThrough == end)
    }

    @Test func `a refused frame leaves the history as it was`() throws {
        var writer = LogWriter()
        var history = LogStateHistory(state: LogState(founding: Membership()), at: writer.chain.tail)
        try history.apply(try writer.append(1, 1))
        let (state, tail) = (history.current, history.tail)
        let frame = try writer.append(1, 5)
        #expect(throws: LogStateError.self) { try history.apply(frame) }
        #expect(history.current == state)
        #expect(history.tail == tail)
    }

    @Test func `thousands of committed frames leave nothing behind`() throws {
        var writer = LogWriter()
        var history = LogStateHistory(state: LogState(founding: Membership()), at: writer.chain.tail)
        for number in 1...5_000 as ClosedRange<UInt64> {
            let before = writer.chain.tail
            try history.apply(try writer.append(1, number))
            history.commit(through: before)
        }
        #expect(history.uncommittedCount == 1)
        let (state, end) = (history.current, history.tail)
        try history.apply(try writer.append(1, 5_001))
        history.truncate(from: end)
        #expect(history.current == state)
    }
}
