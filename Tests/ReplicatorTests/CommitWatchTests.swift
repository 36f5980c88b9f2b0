import LogModel
import Testing

@testable import Replicator

struct CommitWatchTests {
    private func view(_ next: UInt64) -> CommitWatch.View {
        .init(position: Position(0, UInt32(next)), nextIndex: LogIndex(next))
    }

    @Test func `a waiter is woken by the commit it waits for, and by no earlier one`() async {
        let watch = CommitWatch(self.view(1))
        async let waited = watch.wait(for: LogIndex(3), timeoutMilliseconds: 60_000)
        watch.advance(to: self.view(3))
        watch.advance(to: self.view(4))
        #expect(await waited)
        #expect(watch.view.nextIndex == LogIndex(4))
    }

    @Test func `what is committed already is not waited for`() async {
        let watch = CommitWatch(self.view(5))
        #expect(await watch.wait(for: LogIndex(4), timeoutMilliseconds: 0))
    }

    @Test func `nothing is kept of those who have waited, however it ended`() async throws {
        let watch = CommitWatch(self.view(2))
        for _ in 0..<50 {
            #expect(await watch.wait(for: LogIndex(1), timeoutMilliseconds: 60_000))
            #expect(await watch.wait(for: LogIndex(9), timeoutMilliseconds: 0) == false)
            let task = Task { await watch.wait(for: LogIndex(9), timeoutMilliseconds: 60_000) }
            task.cancel()
            #expect(await task.value == false)
        }
        // Alarms that were called off may come a moment later, and must leave nothing either.
        for _ in 0..<100 { await Task.yield() }
        #expect(watch.waitingCount == 0)
    }

    @Test func `waiting ends after its time, with its task, and with the node`() async {
        let watch = CommitWatch(self.view(1))
        #expect(await watch.wait(for: LogIndex(1), timeoutMilliseconds: 1) == false)
        let task = Task { await watch.wait(for: LogIndex(1), timeoutMilliseconds: 60_000) }
        task.cancel()
        #expect(await task.value == false)
        async let last = watch.wait(for: LogIndex(1), timeoutMilliseconds: 60_000)
        watch.close()
        #expect(await last == false)
        #expect(await watch.wait(for: LogIndex(1), timeoutMilliseconds: 60_000) == false)
    }
}
