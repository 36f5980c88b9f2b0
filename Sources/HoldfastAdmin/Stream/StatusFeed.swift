import HoldfastClient
import NIOCore

/// Looks at the cluster for all streams together, and only while there are any.
///
///     stream --subscribe--> ticks: one for each look that found something, or a second later
///        '---- state(after:) <-- the newest view, and the events that this stream lacks
///
/// A stream that is slow misses ticks and nothing else: it takes the newest view when it comes back.
actor StatusFeed {
    /// What a stream writes next.
    struct State: Sendable {
        /// The cluster view, encoded once for everybody.
        var view: [UInt8]
        var events: [ClusterWatch.Heard]
    }

    /// What streams are told of at once.
    private struct News: Equatable {
        var place: UInt64
        var leader: UInt32?
        /// A node that has gone silent has no event of it.
        var silent: [UInt32]

        init(_ view: ClusterView, place: UInt64) {
            self.place = place
            self.leader = view.leader
            self.silent = view.nodes.filter { !$0.isReachable }.map(\.node)
        }
    }

    private let node: any AdminNode
    private let watch: ClusterWatch
    private var view: [UInt8] = []
    private var streams: [UInt64: AsyncStream<Void>.Continuation] = [:]
    private var lastStream: UInt64 = 0
    private var looking: Task<Void, Never>?

    init(node: any AdminNode, watch: ClusterWatch) {
        self.node = node
        self.watch = watch
    }

    /// - Returns: `nil` when there are ``AdminLimits/streamsMax`` already.
    func subscribe() -> AsyncStream<Void>? {
        guard self.streams.count < AdminLimits.streamsMax else { return nil }
        self.lastStream += 1
        let id = self.lastStream
        let (ticks, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        continuation.onTermination = { _ in Task { await self.ended(id) } }
        self.streams[id] = continuation
        // Whoever comes later need not wait for something to happen.
        if !self.view.isEmpty { continuation.yield() }
        if self.looking == nil { self.looking = Task { await self.look() } }
        return ticks
    }

    func state(after place: UInt64) async -> State {
        State(view: self.view, events: await self.watch.events(after: place))
    }

    private func ended(_ id: UInt64) {
        self.streams[id] = nil
        guard self.streams.isEmpty else { return }
        self.looking?.cancel()
        self.looking = nil
        self.view = []
    }

    private func look() async {
        var told: News?
        var toldAt = NIODeadline.now()
        while !Task.isCancelled {
            let next = ContinuousClock.now + .milliseconds(AdminLimits.lookMilliseconds)
            let view = await self.watch.look()
            let news = News(view, place: await self.watch.newestPlace)
            guard !Task.isCancelled else { return }
            self.view = JSONDocument.encode(view)
            if news != told || NIODeadline.now() - toldAt >= .milliseconds(AdminLimits.quietMilliseconds) {
                told = news
                toldAt = .now()
                for stream in self.streams.values { stream.yield() }
            }
            try? await Task.sleep(until: next)
        }
    }
}
