import HTTP2Transport
import NIOCore

/// The connections of the ``LocalDoor``, made when they are needed; the client listener ends those that are idle.
///
///     asked --a connection has a free stream--> has it --answered, or gone--> the next one that waits
///       | none has, and no further one may be made
///       '-> waits --one comes free--> has it
///             |---- none does in time, or too many wait: gets none
///             '---- given up: is not waited for any more
///
/// Rule: whoever reads records has one of them that no other reader has, while there are enough. Why: the client listener bounds what one
/// connection leaves unread, for all of its streams together. On a shared one a single page of a slow reader, which may be
/// larger than that bound, has everybody else's refused. Everything else shares, theirs as well: its answers are small.
///
/// Rule: nothing is sent on a connection that has no free stream. Why: it would wait there for as long as those go on that have
/// one, which readers may for days. Who has a stream has it for as long as he likes.
///
/// Rule: a stream goes to the first of those who wait that may have it. Why: a repeated request may have no connection made,
/// and would keep all behind it from those that may.
///
/// Event loop only.
final class DoorConnections {
    /// One of them, or one that is being made.
    final class Connection {
        fileprivate var readerCount = 0
        /// Readers, too.
        fileprivate var streamCount = 0
        let connected: EventLoopFuture<HTTP2Connection>
        private(set) var made: HTTP2Connection?
        private var hasFailed = false

        fileprivate init(_ connected: EventLoopFuture<HTTP2Connection>) {
            self.connected = connected
            connected.assumeIsolated().whenComplete { result in
                switch result {
                case .success(let connection): self.made = connection
                case .failure: self.hasFailed = true
                }
            }
        }

        fileprivate var isUsable: Bool { self.made?.isUsable ?? !self.hasFailed }
    }

    /// How many there are of what.
    struct Bounds {
        /// Readers beyond it share, as evenly as can be.
        var connectionsMax: Int
        /// Requests that a connection takes at a time: no more than the client listener lets it have open.
        var streamsMax: Int
        /// Requests that wait for a stream, and how long each of them does.
        var waitingMax = NodeLimits.doorWaitingMax
        var waitMilliseconds = NodeLimits.doorWaitMilliseconds
    }

    /// What there is at the moment.
    struct Load: Hashable, Sendable {
        /// Requests that have a stream, readers among them, and requests that wait for one.
        var streamCount = 0
        var readerCount = 0
        var waitingCount = 0
    }

    /// What a request needs.
    struct Need {
        /// It reads records.
        var isReader: Bool
        /// Its first connection is gone. The listener may have let it in no more, for want of room: one that others use is
        /// taken rather than another one made.
        var isRepeated: Bool
    }

    /// A request that has no stream yet.
    final class Waiting {
        fileprivate let need: Need
        fileprivate let got: (Connection?) -> Void
        fileprivate var deadline: Scheduled<Void>?

        fileprivate init(_ need: Need, _ got: @escaping (Connection?) -> Void) {
            self.need = need
            self.got = got
        }
    }

    private let bounds: Bounds
    private let eventLoop: any EventLoop
    private let connect: () -> EventLoopFuture<HTTP2Connection>
    private var connections: [Connection] = []
    /// In the order they came.
    private var waiting: [Waiting] = []

    init(_ bounds: Bounds, on eventLoop: any EventLoop, connect: @escaping () -> EventLoopFuture<HTTP2Connection>) {
        self.bounds = bounds
        self.eventLoop = eventLoop
        self.connect = connect
    }

    /// Finds a connection with a free stream.
    ///
    /// - Parameters:
    ///   - deadline: Of the request, however often it is sent.
    ///   - got: Called once, at once or by the deadline, unless the wait is given up. The connection has to be given back by
    ///     ``ended(_:_:)``; `nil` when none had a free stream.
    /// - Returns: What ``giveUp(_:)`` takes; `nil` when `got` was called already.
    func take(_ need: Need, until deadline: NIODeadline, _ got: @escaping (Connection?) -> Void) -> Waiting? {
        let waiting = Waiting(need, got)
        self.waiting.append(waiting)
        self.drain()
        guard self.isWaiting(waiting) else { return nil }
        guard self.waiting.count <= self.bounds.waitingMax else {
            self.remove(waiting)
            got(nil)
            return nil
        }
        waiting.deadline = self.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) {
            self.remove(waiting)
            got(nil)
            self.drain()
        }
        return waiting
    }

    /// Whoever waited has gone, and is not called any more.
    func giveUp(_ waiting: Waiting) {
        self.remove(waiting)
        self.drain()
    }

    /// A request has its answer, or has gone.
    func ended(_ need: Need, _ connection: Connection) {
        connection.streamCount -= 1
        if need.isReader { connection.readerCount -= 1 }
        self.drain()
    }

    var load: Load {
        Load(
            streamCount: self.connections.reduce(0) { $0 + $1.streamCount },
            readerCount: self.connections.reduce(0) { $0 + $1.readerCount }, waitingCount: self.waiting.count)
    }

    /// Closes all of them.
    ///
    /// - Returns: Those that were made.
    func close() -> [HTTP2Connection] {
        for connection in self.connections { connection.connected.whenSuccess { $0.close() } }
        return self.connections.compactMap(\.made)
    }

    /// Gives away what is free, to whoever came first of those that may have it.
    private func drain() {
        while let (waiting, connection) = self.firstServed() {
            self.remove(waiting)
            connection.streamCount += 1
            if waiting.need.isReader { connection.readerCount += 1 }
            waiting.got(connection)
        }
    }

    private func firstServed() -> (Waiting, Connection)? {
        for waiting in self.waiting {
            if let connection = self.free(for: waiting.need) { return (waiting, connection) }
            // Whoever is behind it may have nothing that it may not.
            if !waiting.need.isRepeated { return nil }
        }
        return nil
    }

    private func isWaiting(_ waiting: Waiting) -> Bool { self.waiting.contains { $0 === waiting } }

    private func remove(_ waiting: Waiting) {
        waiting.deadline?.cancel()
        self.waiting.removeAll { $0 === waiting }
    }

    private func free(for need: Need) -> Connection? {
        self.connections.removeAll { !$0.isUsable }
        let mayOpen =
            self.connections.isEmpty || !need.isRepeated && self.connections.count < self.bounds.connectionsMax
        let leastRead = self.connections.filter { $0.streamCount < self.bounds.streamsMax }
            .min { $0.readerCount < $1.readerCount }
        if let leastRead, !mayOpen || !need.isReader || leastRead.readerCount == 0 { return leastRead }
        return mayOpen ? self.open() : nil
    }

    private func open() -> Connection {
        let connection = Connection(self.connect())
        self.connections.append(connection)
        return connection
    }
}

extension DoorConnections.Bounds {
    /// Most of what one address may have is left to the clients on this machine.
    init(of clients: ClientConnections) {
        self.init(
            connectionsMax: min(max(1, clients.perAddressMax / 8), NodeLimits.doorConnectionsMax),
            streamsMax: Int(clients.limits.session.maxConcurrentStreams))
    }
}
