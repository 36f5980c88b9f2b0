import Replicator
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(1))) struct PageSeatsTests {
    private final class Tally: Sendable {
        let counts = Mutex((taken: 0, most: 0))
    }

    private final class Order: Sendable {
        let numbers = Mutex<[Int]>([])
    }

    @Test func `no more are taken than there are, and whoever waits gets the next one`() async {
        let seats = PageSeats(count: 2)
        let tally = Tally()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<50 {
                group.addTask {
                    guard let seat = try? await seats.take() else { return }
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

    @Test func `a seat is free again once its holder lets go of it`() async throws {
        let seats = PageSeats(count: 1)
        var seat: PageSeat? = try await seats.take()
        async let next = seats.take()
        #expect(seat != nil)
        seat = nil
        _ = try await next
    }

    @Test func `whoever is cancelled waits no longer, and its turn is the next one's`() async throws {
        let seats = PageSeats(count: 1)
        var held: PageSeat? = try await seats.take()
        let gone = (0..<50).map { _ in Task { try await seats.take() } }
        while seats.waitingCount < gone.count { await Task.yield() }
        for task in gone { task.cancel() }
        // Though the seat is held still.
        for task in gone { await #expect(throws: CancellationError.self) { try await task.value } }
        async let next = seats.take()
        #expect(held != nil)
        held = nil
        _ = try await next
    }

    @Test func `seats that are given back while tasks are cancelled do not get lost`() async throws {
        let seats = PageSeats(count: 2)
        for _ in 0..<200 {
            let tasks = (0..<8).map { _ in Task { _ = try await seats.take() } }
            for task in tasks[..<4] { task.cancel() }
            for task in tasks { _ = await task.result }
        }
        let both = (try await seats.take(), try await seats.take())
        withExtendedLifetime(both) {}
    }

    @Test func `seats are given in the order in which they were asked for`() async throws {
        let seats = PageSeats(count: 1)
        var held: PageSeat? = try await seats.take()
        let order = Order()
        var tasks: [Task<Void, any Error>] = []
        for number in 0..<5 {
            tasks.append(
                Task {
                    let seat = try await seats.take()
                    order.numbers.withLock { $0.append(number) }
                    withExtendedLifetime(seat) {}
                })
            while seats.waitingCount <= number { await Task.yield() }
        }
        #expect(held != nil)
        held = nil
        for task in tasks { try await task.value }
        #expect(order.numbers.withLock { $0 } == [0, 1, 2, 3, 4])
    }
}
