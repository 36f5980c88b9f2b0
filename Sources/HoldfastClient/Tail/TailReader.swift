import LogModel
import NIOCore

/// Reads on through one stream after the other, each from the record behind the last one.
///
///     resolve the place --> open at a node --> frames ... --(ended, refused, silent while others go on)--> open at another
///
/// A node that is cut off answers and has nothing new. So after some silence all nodes are asked how far they are: one that
/// does not answer, or has not what others have, is left.
actor TailReader {
    private let client: HoldfastClient
    private let origin: RecordTail.Origin
    private let retried: (@Sendable (String) -> Void)?
    private let silence: Duration
    private let grace: Duration
    private var next: LogIndex?
    private var current: (server: ServerAddress, stream: NIOLoopBound<TailStream>)?
    /// The server that was asked last: the one behind it is next.
    private var last: ServerAddress?
    private var backoff = Backoff()
    private var heardAt = ContinuousClock.now
    /// Others were found to have more; the server has a moment to show it.
    private var isBehind = false
    private var hasOpened = false
    private var hasRead = false
    private lazy var giveUpAt = ContinuousClock.now + .milliseconds(self.client.timeoutMilliseconds)

    init(
        _ client: HoldfastClient, from origin: RecordTail.Origin,
        silence: Duration = .milliseconds(ClientLimits.tailSilenceMilliseconds),
        grace: Duration = .milliseconds(ClientLimits.tailGraceMilliseconds),
        retried: (@Sendable (String) -> Void)? = nil
    ) {
        self.silence = silence
        self.grace = grace
        self.client = client
        self.origin = origin
        self.retried = retried
    }

    deinit { self.client.pool.closed(ObjectIdentifier(self)) }

    /// - Parameter deadline: When to stop waiting; by default never.
    /// - Returns: At least one record; none when the time is up; `nil` when the task was cancelled.
    func next(before deadline: ContinuousClock.Instant? = nil) async throws(ClientError) -> [IndexedRecord]? {
        let giveUpAt = self.giveUpAt
        while !Task.isCancelled {
            do throws(ClientError) {
                let records = try await self.attempt(before: deadline)
                if !records.isEmpty { return records }
            } catch {
                self.leave()
                guard !Task.isCancelled else { return nil }
                let isTooLate = self.isTooLate(error)
                if isTooLate { self.next = nil }
                guard !self.client.pool.isShutDown else { throw .ended("the client was shut down") }
                guard error.isWorthRetrying || isTooLate, self.hasOpened || ContinuousClock.now < giveUpAt else {
                    throw error
                }
                self.retried?(self.why(error))
                self.client.metrics.retried()
                try? await Task.sleep(for: self.backoff.next())
            }
            if let deadline, ContinuousClock.now >= deadline { return Task.isCancelled ? nil : [] }
        }
        return nil
    }

    /// Where it begins: looked up once.
    func start() async throws(ClientError) -> LogIndex {
        if let next { return next }
        var start: HoldfastClient.Start
        switch self.origin {
        case .start(let place): start = place
        case .cursor(let name, let place): start = try await self.client.cursor(name).map { .index($0.index) } ?? place
        }
        let first: LogIndex
        if case .index(let index) = start {
            first = index
        } else {
            let page = try await self.client.read(from: start, limit: 1, consistency: .committed)
            first = page.records.first?.index ?? page.next
        }
        self.next = first
        return first
    }

    // MARK: One attempt

    /// - Returns: None when there was nothing yet.
    private func attempt(before deadline: ContinuousClock.Instant?) async throws(ClientError) -> [IndexedRecord] {
        let next = try await self.start()
        let (server, stream) = try await self.opened(from: next)
        let patience = self.isBehind ? self.grace : self.silence
        let until = min(deadline ?? self.heardAt + patience, self.heardAt + patience)
        switch await stream.take(within: max(.zero, ContinuousClock.now.duration(to: until))) {
        case .frames(let frames):
            self.heardAt = .now
            self.isBehind = false
            self.backoff.reset()
            let (records, failure) = TailFrames.decode(frames, next: next)
            self.next = next.advanced(by: UInt64(records.count))
            self.client.metrics.read(records.count)
            if !records.isEmpty { self.hasRead = true }
            // An error behind records shows again where they end: the stream is over.
            if records.isEmpty, let failure { throw failure }
            if failure != nil { self.leave() }
            return records
        case .silence(isReceiving: true):
            // A long record on its way over a slow connection: another server would have to begin it again.
            self.heardAt = .now
            self.isBehind = false
            return []
        case .silence(isReceiving: false):
            guard !Task.isCancelled, ContinuousClock.now >= self.heardAt + patience else { return [] }
            try await self.compare(server, next: next)
            self.heardAt = .now
            return []
        case .ended(let failure):
            throw failure
        }
    }

    private func opened(
        from index: LogIndex
    ) async throws(ClientError) -> (server: ServerAddress, stream: NIOLoopBound<TailStream>) {
        if let current { return current }
        let pool = self.client.pool
        guard let server = pool.server(after: self.last) else { throw .unreachable("no server is known") }
        self.last = server
        let stream = try await TailStream.open(
            at: server, access: pool.access, from: index, logger: self.client.logger)
        pool.opened(stream, of: self)
        self.current = (server, stream)
        self.heardAt = .now
        self.hasOpened = true
        self.client.metrics.openedTail()
        // Whoever was given one server only has to know of others before it stops.
        if pool.servers.count == 1 { _ = await pool.lastIndexes() }
        return (server, stream)
    }

    /// Stays where it is while nobody has more.
    private func compare(_ server: ServerAddress, next: LogIndex) async throws(ClientError) {
        let all = await self.client.pool.lastIndexes()
        guard let furthest = all.values.max() else { return }
        guard all[server] != nil else { throw .unreachable("it does not answer") }
        guard furthest >= next else { return self.isBehind = false }
        guard !self.isBehind else { throw .unreachable("it is behind: others have committed \(furthest)") }
        self.isBehind = true
    }

    /// A tail needs no leader, so it does not speak of one.
    private func why(_ failure: ClientError) -> String {
        guard case .unreachable(let reason) = failure else { return failure.description }
        return self.last.map { "\($0): \(reason)" } ?? reason
    }

    /// The log was trimmed between the look at where it begins and the first record: it begins elsewhere now.
    private func isTooLate(_ error: ClientError) -> Bool {
        guard case .trimmed = error, !self.hasRead, case .start(let start) = self.origin else { return false }
        return switch start {
        case .first, .last: true
        case .index, .tail: false
        }
    }

    private func leave() {
        self.client.pool.closed(ObjectIdentifier(self))
        self.current = nil
        self.isBehind = false
    }
}

extension ClientError {
    /// Of a tail, which needs no leader.
    fileprivate var reason: String {
        if case .unreachable(let reason) = self { reason } else { self.description }
    }
}
