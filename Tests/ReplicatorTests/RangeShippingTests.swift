import LogModel
import NIOCore
import NIOPosix
import Testing
import WireFormat

@testable import Replicator

/// Which ranges are compressed, and what that may cost.
struct RangeShippingTests {
    /// Takes milliseconds to compress, and shrinks.
    private static let bytes = Bytes((0..<256 << 10).map { UInt8(truncatingIfNeeded: $0 / 7 ^ $0 & 15) })
    private static let now = NIODeadline.uptimeNanoseconds(1_000_000_000)

    @Test func `what work took is earned again before more begins`() {
        var share = ProcessorShare(percent: 5)
        share.spend(25_000_000)
        // 5 ms too much are 100 ms of a twentieth.
        let moments: [TimeAmount] = [.zero, .milliseconds(99), .milliseconds(102)]
        let isLeft = moments.map { share.isLeft(at: Self.now + $0) }
        #expect(isLeft == [false, false, true])
        // An idle hour saves up no more than there was at the beginning.
        let afterAnHour = [0, 19_000_000, 1_000_000].map { (nanoseconds: Int64) in
            share.spend(nanoseconds)
            return share.isLeft(at: Self.now + .hours(1))
        }
        #expect(afterAnHour == [true, true, false])
    }

    @Test(arguments: [
        (RangeCompression.auto, 1 << 10, false, false), (.auto, 1 << 10, true, false), (.auto, 64 << 10, false, true),
        (.auto, 64 << 10, true, true), (.never, 64 << 10, true, false), (.always, 1 << 10, false, true),
    ])
    func `large ranges are compressed under auto, all or none otherwise`(
        compression: RangeCompression, byteCount: Int, isBehind: Bool, isCompressed: Bool
    ) async throws {
        let isAsked = try await Self.asked(compression, [byteCount], isBehind: isBehind)
        #expect(isAsked == [isCompressed])
    }

    @Test func `a link that keeps up has no more than its share compressed, one that is behind all`() async throws {
        let sizes = Array(repeating: Self.bytes.count, count: 100)
        let keepingUp = try await Self.asked(.auto, sizes, isBehind: false)
        #expect(keepingUp.first == true)
        #expect(keepingUp.last == false)
        #expect(try await Self.asked(.auto, sizes, isBehind: true).allSatisfy { $0 })
    }

    /// Ships ranges one after the other, each when the one before is compressed, while the clock stands still.
    ///
    /// - Returns: For each whether it was to be compressed.
    private static func asked(
        _ compression: RangeCompression, _ byteCounts: [Int], isBehind: Bool
    ) async throws -> [Bool] {
        let loops = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let pool = NIOThreadPool(numberOfThreads: 1)
        pool.start()
        let loop = loops.next()
        let shipping = try await loop.submit {
            NIOLoopBound(
                RangeShipping(compression: compression, pool: pool, eventLoop: loop), eventLoop: loop)
        }.get()
        var asked: [Bool] = []
        for (number, byteCount) in byteCounts.enumerated() {
            let encoded = loop.flatSubmit {
                let range = Self.range(number, byteCount: byteCount)
                let encoding = shipping.value.encode(range, isBehind: isBehind, now: Self.now)
                return encoding?.map { _ in true } ?? loop.makeSucceededFuture(false)
            }
            asked.append(try await encoded.get())
        }
        try await pool.shutdownGracefully()
        try await loops.shutdownGracefully()
        return asked
    }

    private static func range(_ number: Int, byteCount: Int) -> RangeMessage {
        RangeMessage(
            term: Term(1), commit: .zero, from: Position(0, UInt32(number)), previous: .zero, previousChecksum: 0,
            rawByteCount: UInt32(byteCount), encoding: .identity,
            body: Self.bytes.prefix(byteCount))
    }
}
