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
        var limits = HTTP2Limits()
        limits.unreadMilliseconds = 1_000
        try await withServer(limits: limits) { server, witness in
            let peer = try await UnreadPeer.connect(to: server, asking: "/whole/20000000")
            try await peer.begun.get()
            // A few kilobytes each time: the server's socket is full all the while. On a loop, since tasks may wait for others.
            let reading = peer.channel.eventLoop.scheduleRepeatedTask(
                initialDelay: .zero, delay: .milliseconds(50)
            ) { _ in peer.channel.read() }
            try await Task.sleep(for: .seconds(3))
            reading.cancel()
            #expect(server.breachCounts.isEmpty)
            #expect(!witness.events.contains { $0.hasPrefix("closed") })
            try await peer.channel.close()
        }
    }
}
