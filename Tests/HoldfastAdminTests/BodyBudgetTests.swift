import NIOCore
import Synchronization
import Testing

@testable import HoldfastAdmin

/// Who has room, and who gives it up, with a clock that only the test moves.
@Suite struct BodyBudgetTests {
    private final class Clock: Sendable {
        private let milliseconds = Mutex<Int64>(0)
        var now: NIODeadline { .uptimeNanoseconds(0) + .milliseconds(self.milliseconds.withLock { $0 }) }
        func wait(_ milliseconds: Int64) { self.milliseconds.withLock { $0 += milliseconds } }
    }

    private let clock = Clock()
    private let budget: BodyBudget

    init() {
        let clock = self.clock
        self.budget = BodyBudget(100, share: 10, pace: BodyBudget.Pace(byteCount: 20, time: .milliseconds(500))) {
            clock.now
        }
    }

    private func body(_ byteCount: Int = 0) -> HeldBody {
        let body = HeldBody(in: self.budget)
        #expect(byteCount == 0 || body.add(ByteBuffer(repeating: 1, count: byteCount)))
        return body
    }

    private func add(_ byteCount: Int, to body: HeldBody) -> Bool {
        body.add(ByteBuffer(repeating: 2, count: byteCount))
    }

    @Test func `each has a little whatever others hold, and everything is given back`() {
        let (one, other) = (self.body(95), self.body())
        #expect(!self.add(11, to: other) && self.add(10, to: other) && !self.add(1, to: other))
        #expect(self.budget.heldByteCount == 105)
        #expect(one.complete()?.map(\.readableBytes) == [95])
        #expect(self.budget.heldByteCount == 105, "until its answer begins")
        one.leave()
        other.leave()
        other.leave()
        #expect(self.budget.heldByteCount == 0)
    }

    @Test func `who has stood still for longest is refused, and no more than have to be`() {
        let refused = Mutex<[Int]>([])
        let bodies = (0..<3).map { number in
            let body = self.body(30)
            body.whenRefused { refused.withLock { $0.append(number) } }
            self.clock.wait(100)
            return body
        }
        // The first one goes on.
        #expect(self.add(2, to: bodies[0]) && bodies[0].isRefused == false)
        self.clock.wait(100)
        let late = self.body()
        #expect(!self.add(40, to: late), "nobody has stood still for long enough")
        self.clock.wait(300)
        #expect(self.add(40, to: late))
        #expect(refused.withLock { $0 } == [0], "2 bytes are no progress")
        #expect(bodies[0].isRefused && !bodies[1].isRefused)
        #expect(self.budget.heldByteCount == 100)
        #expect(bodies[0].complete() == nil && !self.add(1, to: bodies[0]))
        #expect(bodies[1].complete()?.map(\.readableBytes) == [30])
        bodies[0].leave()
        #expect(self.budget.heldByteCount == 100, "what was taken from it is not given back twice")
        bodies[0].whenRefused { refused.withLock { $0.append(9) } }
        #expect(refused.withLock { $0 } == [0, 9], "at once when it was before")
    }

    @Test func `whoever goes on, is whole, or holds a share only is not refused for others`() {
        let (steady, whole, small) = (self.body(20), self.body(50), self.body(10))
        #expect(whole.complete() != nil)
        self.clock.wait(499)
        #expect(self.add(20, to: steady))
        self.clock.wait(499)
        let late = self.body(10)
        #expect(!self.add(1, to: late), "slow is not still")
        #expect(![steady, whole, small].contains { $0.isRefused })
        self.clock.wait(1)
        #expect(self.add(1, to: late) && steady.isRefused)
        #expect(!whole.isRefused && !small.isRefused)
    }

    @Test func `what comes in many pieces is kept in order, in pieces of 64 KiB`() {
        let budget = BodyBudget(1 << 20, share: 1, pace: BodyBudget.Pace(byteCount: 1, time: .seconds(1)))
        let body = HeldBody(in: budget)
        let bytes = (0..<150_000).map { UInt8(truncatingIfNeeded: $0 / 7) }
        for start in stride(from: 0, to: bytes.count, by: 7_001) {
            #expect(body.add(ByteBuffer(bytes: bytes[start..<min(start + 7_001, bytes.count)])))
        }
        let pieces = body.complete() ?? []
        #expect(pieces.map(\.readableBytes) == [65_536, 65_536, 150_000 - 2 * 65_536])
        #expect(pieces.flatMap { Array($0.readableBytesView) } == bytes)
        body.leave()
    }
}
