import HTTP2Transport
import NIOCore
import Testing

@Suite(.timeLimit(.minutes(1))) struct UnreadWatchTests {
    @Test func `whoever takes enough makes progress, however much is left`() {
        var watch = UnreadWatch(progressByteCountMin: 1_000)
        for step in UInt64(0)..<100 {
            #expect(watch.looked(waitingByteCount: 500_000 - Int(step) * 1_000, now: step) == step)
        }
    }

    @Test func `a byte now and then is no progress, until they are enough together`() {
        var watch = UnreadWatch(progressByteCountMin: 1_000)
        for step in 0..<1_000 { #expect(watch.looked(waitingByteCount: 500_000 - step, now: 7 + UInt64(step)) == 7) }
        #expect(watch.looked(waitingByteCount: 499_000, now: 2_000) == 2_000)
        #expect(watch.looked(waitingByteCount: 499_000, now: 3_000) == 2_000)
    }

    @Test func `a channel that was writable in between begins anew`() {
        var watch = UnreadWatch(progressByteCountMin: 1_000)
        #expect(watch.looked(waitingByteCount: 500_000, now: 1) == 1)
        watch.becameWritable()
        #expect(watch.looked(waitingByteCount: 500_000, now: 2) == 2)
    }

    @Test func `a reader that is slow and steady is served for as long as it takes`() async throws {
        // Who had no turn to read was not steady, and has shown nothing: again, and with more time.
        for milliseconds: UInt64 in [1_000, 2_000, 4_000, 8_000] {
            if try await self.readsSteadily(for: 3 * milliseconds, unreadMilliseconds: milliseconds) { return }
        }
        Issue.record("this machine gave no reader a turn for seconds: nothing is shown")
    }

    /// Expects that a steady reader is not cut off.
    ///
    /// - Returns: `false` when it was not steady, by no fault of its own: nothing is expected then.
    private func readsSteadily(for milliseconds: UInt64, unreadMilliseconds: UInt64) async throws -> Bool {
        var limits = HTTP2Limits()
        limits.unreadMilliseconds = unreadMilliseconds
        return try await withServer(limits: limits) { server, witness in
            let peer = try await UnreadPeer.connect(to: server, asking: "/whole/20000000")
            try await peer.begun.get()
            let loop = peer.channel.eventLoop
            let pauses = NIOLoopBoundBox.makeBoxSendingValue(Pauses(), eventLoop: loop)
            // A few kilobytes each time: the server's socket is full all the while. On a loop, since tasks may wait for others.
            let reading = loop.scheduleRepeatedTask(initialDelay: .zero, delay: .milliseconds(50)) { _ in
                pauses.value.end(at: .now())
                peer.channel.read()
            }
            try await Task.sleep(for: .milliseconds(milliseconds))
            let longest = try await loop.submit {
                reading.cancel()
                pauses.value.end(at: .now())
                return pauses.value.longest
            }.get()
            let isCut = !server.breachCounts.isEmpty || witness.events.contains { $0.hasPrefix("closed") }
            try? await peer.channel.close()
            guard longest < .milliseconds(Int64(unreadMilliseconds / 4)) else { return false }
            #expect(!isCut, "its longest pause was of \(longest.nanoseconds / 1_000_000) ms")
            return true
        }
    }

    /// Between one read and the next.
    private struct Pauses {
        private(set) var longest = TimeAmount.zero
        private var last: NIODeadline?

        mutating func end(at now: NIODeadline) {
            if let last { self.longest = max(self.longest, now - last) }
            self.last = now
        }
    }
}
