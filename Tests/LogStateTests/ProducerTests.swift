import LogModel
import LogState
import SegmentFormat
import Testing

struct ProducerTests {
    private var state = LogState(founding: Membership())
    private var writer = LogWriter()

    private func verdict(_ producer: UInt64, _ sequence: UInt64) -> ProducerVerdict {
        self.state.verdict(on: ProducerSequence(producer: producer, sequence: sequence))
    }

    private mutating func append(_ producer: UInt64, _ sequence: UInt64) throws -> PlacedFrame {
        let frame = try self.writer.append(producer, sequence, records: 2)
        _ = try self.state.apply(frame)
        return frame
    }

    @Test func `an unknown producer begins with 1`() {
        #expect(self.verdict(7, 1) == .new)
        #expect(self.verdict(7, 2) == .expired)
        #expect(self.verdict(7, 0) == .expired)
    }

    @Test mutating func `a repeated append is answered with what became of it`() throws {
        let frame = try self.append(7, 1)
        let append = StoredAppend(
            firstIndex: LogIndex(1), recordCount: 2, term: .zero, position: Position(0, 200), end: frame.end)
        #expect(self.verdict(7, 1) == .duplicate(append))
        #expect(self.verdict(7, 2) == .new)
        #expect(self.verdict(7, 3) == .gap(expected: 2))
        #expect(self.verdict(7, 0) == .duplicateForgotten(last: 1))
    }

    @Test mutating func `the last 16 results are kept`() throws {
        for sequence in 1...20 as ClosedRange<UInt64> { _ = try self.append(7, sequence) }
        #expect(self.verdict(7, 4) == .duplicateForgotten(last: 20))
        for sequence in 5...20 as ClosedRange<UInt64> {
            guard case .duplicate(let append) = self.verdict(7, sequence) else {
                Issue.record("sequence \(sequence) is not known")
                continue
            }
            #expect(append.firstIndex == LogIndex(2 * sequence - 1))
        }
    }

    @Test mutating func `each append of a run is answered by itself`() throws {
        _ = try self.append(7, 1)
        let frame = try self.writer.run(7, from: 2, count: 3)
        _ = try self.state.apply(frame)
        for number in 0..<3 as Range<UInt64> {
            let append = StoredAppend(
                firstIndex: LogIndex(3 + number), recordCount: 1, term: .zero, position: frame.position, end: frame.end)
            #expect(self.verdict(7, 2 + number) == .duplicate(append))
        }
        #expect(self.verdict(7, 5) == .new)
        #expect(self.state.expectedSequence(of: 7) == 5)
        #expect(self.state.expectedSequence(of: 8) == nil)
    }

    @Test mutating func `of runs, too, the last 16 results are kept, and a checkpoint brings them back`() throws {
        _ = try self.append(7, 1)
        for (first, count) in [(2, 10), (12, 10), (22, 40)] as [(UInt64, Int)] {
            let before = self.state
            let undo = try self.state.apply(try self.writer.run(7, from: first, count: count))
            let after = self.state
            self.state.undo(undo)
            #expect(self.state == before)
            self.state = after
            #expect(try LogState(decoding: after.encoded()[...]) == after)
            let last = first + UInt64(count) - 1
            let kept = min(last, 16)
            #expect(self.verdict(7, last - kept) == .duplicateForgotten(last: last))
            guard case .duplicate(let oldest) = self.verdict(7, last - kept + 1) else {
                Issue.record("the oldest of \(kept) results is not known")
                continue
            }
            #expect(oldest.lastIndex == LogIndex(last - kept + 2))
        }
    }

    @Test mutating func `a run out of sequence is refused and changes nothing`() throws {
        _ = try self.append(7, 1)
        let before = self.state
        for sequence in [1, 3] as [UInt64] {
            let frame = try self.writer.run(7, from: sequence, count: 3)
            let append = ProducerSequence(producer: 7, sequence: sequence)
            #expect(throws: LogStateError.producerOutOfSequence(append, last: 1)) { try self.state.apply(frame) }
            #expect(self.state == before)
        }
    }

    @Test mutating func `the least recently used producer leaves`() throws {
        for producer in 1...256 as ClosedRange<UInt64> { _ = try self.append(producer, 1) }
        _ = try self.append(1, 2)
        _ = try self.append(1_000, 1)
        #expect(self.state.producerCount == 256)
        #expect(self.verdict(1, 3) == .new)
        #expect(self.verdict(2, 2) == .expired)
        #expect(self.verdict(3, 2) == .new)
    }

    @Test mutating func `a frame out of sequence is refused and changes nothing`() throws {
        _ = try self.append(7, 1)
        let before = self.state
        for sequence in [0, 1, 3] as [UInt64] {
            let frame = try self.writer.append(7, sequence)
            let append = ProducerSequence(producer: 7, sequence: sequence)
            #expect(throws: LogStateError.producerOutOfSequence(append, last: 1)) { try self.state.apply(frame) }
            #expect(self.state == before)
        }
    }
}
