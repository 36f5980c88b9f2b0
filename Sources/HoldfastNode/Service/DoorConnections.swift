import HTTP2Transport
import NIOCore

/// The connections of the ``LocalDoor``, made when they are needed; the client listener ends those that are idle.
///
///     asked --a connection has a free stream--> has it --answered, or gone--> the next one that waits
///       | none has, and no further one may be made
///       '-> waits --one comes free--> has it
///             '---- none does in time, or too many wait: gets none
///
/// Rule: whoever reads records has one of them that no other reader has, while there are enough. Why: the client listener bounds what one
/// connection leaves unread, for all of its streams together. On a shared one a single page of a slow reader, which may be
/// larger than that bound, has everybody else's refused. Everything else shares, theirs as well: its answers are small.
///
/// Rule: nothing is sent on a connection that has no free stream. Why: it would wait there for as long as those go on that have
/// one, which readers may for days. Who has a stream has it for as long as he likes.
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

    /// What a request needs.
    struct Need {
        /// It reads records.
        var isReader: Bool
        /// Its first connection is gone. The listener may have let it in no more, for want of room: one that others use is
        /// taken rather than another one made.
        var isRepeated: Bool
    }

    private final class Waiting {
        let need: Need
        let got: (Connection?) -> Void
        var deadline: Scheduled<Void>?

        init(_ need: Need, _ got: @escaping (Connection?) -> Void) {
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
    /// - Parameter got: Called once, at once or within ``Bounds/waitMilliseconds``. The connection has to be given back by
    ///   ``ended(_:_:)``; `nil` when none had a free stream.
    func take(_ need: Need, _ got: @escaping (Connection?) -> Void) {
        // Not past those who wait.
        if self.waiting.isEmpty, let connection = self.free(for: need) { return self.give(connection, need, got) }
        guard self.waiting.count < self.bounds.waitingMax else { return got(nil) }
        let waiting = Waiting(need, got)
        self.waiting.append(waiting)
        let time = TimeAmount.milliseconds(self.bounds.waitMilliseconds)
        waiting.deadline = self.eventLoop.assumeIsolated().scheduleTask(in: time) {
            self.waiting.removeAll { $0 === waiting }
            waiting.got(nil)
        }
    }

    /// A request has its answer, or has gone.
    func ended(_ need: Need, _ connection: Connection) {
        connection.streamCount -= 1
        if need.isReader { connection.readerCount -= 1 }
        while let first = self.waiting.first, let connection = self.free(for: first.need) {
            self.waiting.removeFirst()
            first.deadline?.cancel()
            self.give(connection, first.need, first.got)
        }
    }

    var waitingCount: Int { self.waiting.count }

    /// Closes all of them.
    ///
    /// - Returns: Those that were made.
    func close() -> [HTTP2Connection] {
        for connection in self.connections { connection.connected.whenSuccess { $0.close() } }
        return self.connections.compactMap(\.made)
    }

    private func give(_ connection: Connection, _ need: Need, _ got: (Connection?) -> Void) {
        connection.streamCount += 1
        if need.isReader { connection.readerCount += 1 }
        got(connection)
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
