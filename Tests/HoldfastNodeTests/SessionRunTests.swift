import HTTP2Transport
import HTTPTypes
import HoldfastClient
import LogModel
import Logging
import NIOCore
import NIOPosix
import ReplicaCore
import Testing

@testable import HoldfastNode

/// Batches of one record that become one frame.
@Suite struct SessionRunTests {
    private func batch(_ sequence: UInt64, _ records: [Record]? = nil) -> ByteBuffer {
        var batch = SessionBatch.encode(records ?? [Record("value \(sequence)")])
        SessionBatch.number(&batch, as: sequence)
        return batch
    }

    private func batches(_ sequences: ClosedRange<UInt64>) -> ByteBuffer {
        var bytes = ByteBuffer()
        for sequence in sequences { bytes.writeImmutableBuffer(self.batch(sequence)) }
        return bytes
    }

    @Test func `batches that came together are one frame once the session is known to be new`() async throws {
        try await Listener.with { listener in
            var session = try await RawSession.open(at: listener)
            session.send(self.batches(1...50))
            let before = try await session.receipts(50)
            #expect(listener.log.appendCount == 50)
            session.send(self.batches(51...150))
            let after = try await session.receipts(100)
            #expect(listener.log.appendCount == 51)
            #expect((before + after).map(\.first) == (1...150).map { LogIndex($0) })
            #expect((before + after).allSatisfy { $0.first == $0.last && !$0.isDuplicate })
            #expect(Set(after.map(\.position)).count == 1)
            #expect(listener.log.values == (1...150).map { "value \($0)" })
            session.finish()
        }
    }

    @Test func `batches of several records, and long ones, stay frames of their own between runs`() async throws {
        try await Listener.with { listener in
            var session = try await RawSession.open(at: listener)
            session.send(self.batch(1))
            _ = try await session.receipts(1)
            var bytes = self.batches(2...4)
            bytes.writeImmutableBuffer(self.batch(5, [Record("a"), Record("b")]))
            bytes.writeImmutableBuffer(self.batches(6...7))
            let long = Record(value: Bytes(repeating: 7, count: NodeLimits.sessionRunByteCountMax))
            bytes.writeImmutableBuffer(self.batch(8, [long]))
            bytes.writeImmutableBuffer(self.batches(9...10))
            session.send(bytes)
            let receipts = try await session.receipts(9)
            #expect(receipts.map(\.first.rawValue) == [2, 3, 4, 5, 7, 8, 9, 10, 11])
            #expect(receipts.map(\.last.rawValue) == [2, 3, 4, 6, 7, 8, 9, 10, 11])
            session.finish()
        }
    }

    @Test func `bytes that are no batch leave the run before them as it is`() async throws {
        try await Listener.with { listener in
            var session = try await RawSession.open(at: listener)
            session.send(self.batch(1))
            _ = try await session.receipts(1)
            var bytes = self.batches(2...4)
            var torn = self.batch(5)
            torn.setInteger(UInt32(9), at: 12, endianness: .little)
            bytes.writeImmutableBuffer(torn)
            session.send(bytes)
            #expect(try await session.receipts(3).map(\.first.rawValue) == [2, 3, 4])
            guard case .failed(5, let problem) = await session.next() else {
                Issue.record("the session goes on")
                return
            }
            #expect(problem.applied == .no)
            #expect(listener.log.values.count == 4)
        }
    }

    @Test func `where another session of the producer was faster, each batch is answered by itself`() async throws {
        try await Listener.with { listener in
            var session = try await RawSession.open(at: listener)
            session.send(self.batch(1))
            _ = try await session.receipts(1)
            var other = try await RawSession.open(at: listener)
            other.send(self.batches(2...3))
            _ = try await other.receipts(2)
            session.send(self.batches(2...6))
            let receipts = try await session.receipts(5)
            #expect(receipts.map(\.isDuplicate) == [true, true, false, false, false])
            #expect(receipts.map(\.first.rawValue) == [2, 3, 4, 5, 6])
            // New again, and so together again.
            let count = listener.log.appendCount
            session.send(self.batches(7...20))
            _ = try await session.receipts(14)
            #expect(listener.log.appendCount == count + 1)
            #expect(listener.log.values == (1...20).map { "value \($0)" })
            session.finish()
            other.finish()
        }
    }

    @Test func `a run that fails ends the session at its first batch`() async throws {
        try await Listener.with { listener in
            var session = try await RawSession.open(at: listener)
            session.send(self.batch(1))
            _ = try await session.receipts(1)
            listener.log.fail(appends: .timedOut)
            session.send(self.batches(2...9))
            guard case .failed(2, let problem) = await session.next() else {
                Issue.record("the session goes on")
                return
            }
            #expect(problem.applied == .unknown)
        }
    }
}
