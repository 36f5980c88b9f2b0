import Replicator
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(1))) struct PageSeatsTests {
    private final class Tally: Sendable {
        let counts = Mutex((taken: 0, most: 0))
    }

    @Test func `no more are taken than there are, and whoever waits gets the next one`() async {
        let seats = PageSeats(count: 2)
        let tally = Tally()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<50 {
                group.addTask {
                    let seat = await seats.take()
                    tally.counts.withLock { $0 = ($0.taken + 1, max($0.most, $0.taken + 1)) }
                    await Task.yield()
                    tally.counts.withLock { $0.taken -= 1 }
                    withExtendedLifetime(seat) {}
                }
            }
        }
        #expect(tally.counts.withLock { $0.most } == 2)
        #expect(tally.counts.withLock { $0.taken } == 0)
    }

    @Test func `a seat is free again once its holder lets go of it`() async {
        let seats = PageSeats(count: 1)
        var seat: PageSeat? = await seats.take()
        async let next = seats.take()
        #expect(seat != nil)
        seat = nil
        _ = await next
    }
}
