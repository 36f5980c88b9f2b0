import LogModel
import Synchronization
import Testing

@testable import HoldfastAdmin

@Suite struct WaitWatchTests {
    /// Parts of a node that answer at once, until the test has them hang.
    private final class Parts: Sendable {
        private let state = Mutex((hanging: Set<NodePart>(), asked: [NodePart: Int](), open: 0, openMax: 0))

        func hang(_ parts: Set<NodePart>) { self.state.withLock { $0.hanging = parts } }
        func askedCount(_ part: NodePart) -> Int { self.state.withLock { $0.asked[part, default: 0] } }
        var openMax: Int { self.state.withLock { $0.openMax } }
        var openCount: Int { self.state.withLock { $0.open } }

        func reach(_ part: NodePart) async {
            self.state.withLock { state in
                state.asked[part, default: 0] += 1
                state.open += 1
                state.openMax = max(state.openMax, state.open)
            }
            // As a disk does, it answers to no cancellation.
            while self.state.withLock({ $0.hanging.contains(part) }) { await Task.yield() }
            self.state.withLock { $0.open -= 1 }
        }
    }

    private static func until(_ condition: () -> Bool) async throws {
        while !condition() { try await Task.sleep(for: .milliseconds(1)) }
    }

    @Test func `each part is told of before anything was asked`() {
        let histograms = WaitWatch().histograms
        #expect(Set(histograms.keys) == Set(NodePart.allCases) && histograms.values.allSatisfy { $0.count == 0 })
    }

    @Test(.timeLimit(.minutes(1)))
    func `a part that hangs is told of while it hangs, asked once, and keeps no other from being asked`() async throws {
        let parts = Parts()
        parts.hang([.disk])
        let watch = WaitWatch(pause: .milliseconds(2))
        let running = Task { await watch.run { await parts.reach($0) } }
        func noted(_ part: NodePart) -> LatencyHistogram { watch.histograms[part] ?? LatencyHistogram() }
        try await Self.until { noted(.disk).count >= 20 && NodePart.allCases.allSatisfy { noted($0).count >= 5 } }
        #expect(parts.askedCount(.disk) == 1 && parts.openMax <= NodePart.allCases.count)
        // The waits so far grow by the pause at least: 2 ms, 4 ms, 6 ms ...
        let hung = noted(.disk)
        #expect(hung.sumNanoseconds >= hung.count * (hung.count + 1) / 2 * 2_000_000)

        parts.hang([])
        try await Self.until { parts.askedCount(.disk) >= 3 }
        #expect(noted(.disk).count > hung.count)
        running.cancel()
        await running.value
        #expect(parts.openCount == 0)
    }

    @Test(.timeLimit(.minutes(1))) func `it ends only once the last question is answered`() async throws {
        let parts = Parts()
        parts.hang([.replication])
        let watch = WaitWatch(pause: .milliseconds(1))
        let ended = Mutex(false)
        let running = Task {
            await watch.run { await parts.reach($0) }
            #expect(parts.openCount == 0)
            ended.withLock { $0 = true }
        }
        try await Self.until { parts.askedCount(.replication) == 1 }
        running.cancel()
        for _ in 0..<100 { await Task.yield() }
        #expect(!ended.withLock { $0 })
        parts.hang([])
        await running.value
        #expect(ended.withLock { $0 })
    }
}
