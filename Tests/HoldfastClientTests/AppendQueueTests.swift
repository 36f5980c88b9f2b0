import LogModel
import NIOCore
import NIOPosix
import Testing

@testable import HoldfastClient

@Suite struct AppendQueueTests {
    private let loop = MultiThreadedEventLoopGroup.singleton.next()

    private func queue(_ sizes: [Int], _ change: (inout AppenderOptions) -> Void) -> AppendQueue {
        var options = AppenderOptions()
        change(&options)
        var queue = AppendQueue(options)
        for (number, size) in sizes.enumerated() {
            let record = Record(value: Array(repeating: 0, count: size)[...])
            let promise = self.loop.makePromise(of: Result<AppendReceipt, ClientError>.self)
            promise.succeed(.failure(.ended("")))
            queue.add(.init(number: UInt64(number), record: record, since: .now, promise: promise))
        }
        return queue
    }

    private func batches(_ queue: AppendQueue) -> [[UInt64]] {
        var (queue, batches) = (queue, [[UInt64]]())
        while queue.oldest != nil { batches.append(queue.nextBatch().map(\.number)) }
        return batches
    }

    @Test func `batches keep the order and end at either bound`() {
        let queue = self.queue([1, 1, 1, 1, 6, 5, 5]) {
            $0.recordsMax = 3
            $0.byteCountMax = 10
        }
        #expect(self.batches(queue) == [[0, 1, 2], [3, 4], [5, 6]])
    }

    @Test func `a record that is larger than a batch goes alone`() {
        let queue = self.queue([1, 50, 1, 1]) { $0.byteCountMax = 10 }
        #expect(self.batches(queue) == [[0], [1], [2, 3]])
    }

    @Test func `a queue is full by records or by bytes, and has room again when some are taken off`() {
        var byRecords = self.queue([1, 1]) { $0.waitingRecordsMax = 2 }
        #expect(byRecords.isFull)
        var byBytes = self.queue([8, 2]) { $0.waitingByteCountMax = 10 }
        #expect(byBytes.isFull)
        #expect(byRecords.remove(1)?.number == 1 && byBytes.remove(0)?.number == 0)
        #expect(!byRecords.isFull && !byBytes.isFull && byBytes.byteCount == 2)
        #expect(byRecords.remove(1)?.number == nil)
    }

    @Test func `a batch is whole as soon as waiting would not make it larger`() {
        #expect(!self.queue([1, 1]) { $0.recordsMax = 3 }.hasWholeBatch)
        #expect(self.queue([1, 1, 1]) { $0.recordsMax = 3 }.hasWholeBatch)
        #expect(self.queue([6, 4]) { $0.byteCountMax = 10 }.hasWholeBatch)
    }
}
