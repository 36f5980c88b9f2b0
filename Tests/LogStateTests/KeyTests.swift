import LogModel
import LogState
import SegmentFormat
import Testing

struct KeyTests {
    private var state = LogState(founding: Membership())
    private var writer = LogWriter()

    private func append(of key: UInt64) -> StoredAppend? {
        self.state.append(of: IdempotencyKey(high: key, low: ~key))
    }

    @Test mutating func `a key is answered with what became of its append`() throws {
        let frame = try self.writer.append(key: 5, records: 3)
        #expect(self.append(of: 5) == nil)
        let undo = try self.state.apply(frame)
        let append = StoredAppend(
            firstIndex: .first, recordCount: 3, term: .zero, position: Position(0, 200), end: frame.end)
        #expect(self.append(of: 5) == append)
        #expect(append.lastIndex == LogIndex(3))
        self.state.undo(undo)
        #expect(self.append(of: 5) == nil)
    }

    @Test mutating func `the key that appended first leaves, and comes back when its successor is taken back`() throws {
        for key in 1...2_048 as ClosedRange<UInt64> { _ = try self.state.apply(try self.writer.append(key: key)) }
        let full = self.state
        let undo = try self.state.apply(try self.writer.append(key: 9_999))
        #expect(self.state.idempotencyKeyCount == 2_048)
        #expect(self.append(of: 1) == nil)
        #expect(self.append(of: 2)?.firstIndex == LogIndex(2))
        self.state.undo(undo)
        #expect(self.state == full)
        #expect(self.append(of: 1)?.firstIndex == .first)
    }

    @Test mutating func `a key that appends twice is refused and changes nothing`() throws {
        _ = try self.state.apply(try self.writer.append(key: 5))
        let before = self.state
        let frame = try self.writer.append(key: 5)
        #expect(throws: LogStateError.keyRepeated(IdempotencyKey(high: 5, low: ~5))) { try self.state.apply(frame) }
        #expect(self.state == before)
    }

    @Test mutating func `keys and producers of one number do not meet`() throws {
        _ = try self.state.apply(try self.writer.append(key: 7))
        _ = try self.state.apply(try self.writer.append(7, 1))
        #expect(self.append(of: 7)?.firstIndex == .first)
        #expect(self.state.producerCount == 1)
    }
}
