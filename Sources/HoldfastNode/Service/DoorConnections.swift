import HTTP2Transport
import NIOCore

/// The connections of the ``LocalDoor``, made when they are needed; the client listener ends those that are idle.
///
/// Rule: whoever reads records has one of them that no other reader has, while there are enough. Why: the client listener bounds what one
/// connection leaves unread, for all of its streams together. On a shared one a single page of a slow reader, which may be
/// larger than that bound, has everybody else's refused. Everything else shares, theirs as well: its answers are small.
///
/// Event loop only.
final class DoorConnections {
    /// One of them, or one that is being made.
    final class Connection {
        fileprivate(set) var readerCount = 0
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

    private let connectionsMax: Int
    private let connect: () -> EventLoopFuture<HTTP2Connection>
    private var connections: [Connection] = []

    /// - Parameter connectionsMax: 1 or more; readers beyond it share, as evenly as can be.
    init(atMost connectionsMax: Int, connect: @escaping () -> EventLoopFuture<HTTP2Connection>) {
        self.connectionsMax = connectionsMax
        self.connect = connect
    }

    /// For a request that reads records; to be given back by ``ended(_:)``.
    ///
    /// - Parameter isRepeated: The first one's connection is gone. The listener may have let it in no more, for want of room: one
    ///   that others read from is taken rather than another one made.
    func forReader(isRepeated: Bool) -> Connection {
        let isFull = isRepeated || self.connections.count >= self.connectionsMax
        let connection: Connection
        if let known = self.leastRead(), isFull || known.readerCount == 0 {
            connection = known
        } else {
            connection = self.open()
        }
        connection.readerCount += 1
        return connection
    }

    /// For any other request.
    func shared() -> Connection { self.leastRead() ?? self.open() }

    /// A reader has its answer, or has gone.
    func ended(_ connection: Connection) { connection.readerCount -= 1 }

    var count: Int { self.connections.count }

    /// Closes all of them.
    ///
    /// - Returns: Those that were made.
    func close() -> [HTTP2Connection] {
        for connection in self.connections { connection.connected.whenSuccess { $0.close() } }
        return self.connections.compactMap(\.made)
    }

    private func leastRead() -> Connection? {
        self.connections.removeAll { !$0.isUsable }
        return self.connections.min { $0.readerCount < $1.readerCount }
    }

    private func open() -> Connection {
        let connection = Connection(self.connect())
        self.connections.append(connection)
        return connection
    }
}
