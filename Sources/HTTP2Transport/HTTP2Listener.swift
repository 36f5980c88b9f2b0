import Logging
import NIOCore
import Synchronization

/// What all connections of one listener share: who is connected, how much is unsent, what was refused.
final class HTTP2Listener: Sendable {
    private struct Connections {
        var open: [ObjectIdentifier: HTTP2Connection] = [:]
        var sources = SourceCounts()
    }

    let limits: HTTP2Limits
    /// What an HTTP/1 client is told in place of how to speak HTTP/2; `nil` where that helps it.
    let foreignHint: String?
    private let logger: Logger
    private let connections = Mutex(Connections())
    private let breaches = Mutex<[HTTP2Breach: BreachCount]>([:])
    private let unsent = Atomic<Int>(0)

    init(limits: HTTP2Limits, foreignHint: String? = nil, logger: Logger) {
        self.limits = limits
        self.foreignHint = foreignHint
        self.logger = logger
    }

    // MARK: Connections

    /// - Returns: Which bound does not let it in; `nil` once it is in, until ``remove(_:)``.
    func add(_ connection: HTTP2Connection) -> HTTP2Breach? {
        self.connections.withLock { connections in
            guard connections.open.count < self.limits.connectionsMax else { return .connections }
            let isCounted = connections.sources.add(
                connection.remoteAddress, perAddressMax: self.limits.connectionsPerAddressMax,
                perNetworkMax: self.limits.connectionsPerNetworkMax)
            guard isCounted else { return .connectionsPerAddress }
            connections.open[ObjectIdentifier(connection)] = connection
            return nil
        }
    }

    func remove(_ connection: HTTP2Connection) {
        self.connections.withLock { connections in
            guard connections.open.removeValue(forKey: ObjectIdentifier(connection)) != nil else { return }
            connections.sources.remove(connection.remoteAddress)
        }
    }

    var openConnections: [HTTP2Connection] { self.connections.withLock { Array($0.open.values) } }
    var connectionCount: Int { self.connections.withLock { $0.open.count } }

    // MARK: Unsent bytes

    /// Bytes of bodies that wait for their peers, over all connections.
    var unsentByteCount: Int { self.unsent.load(ordering: .relaxed) }

    func changeUnsent(by byteCount: Int) { self.unsent.add(byteCount, ordering: .relaxed) }

    // MARK: Breaches

    /// Counts it, and says it at most once a second.
    func record(_ breach: HTTP2Breach, by peer: String) {
        let now = NIODeadline.now().uptimeNanoseconds
        guard let unsaidCount = self.breaches.withLock({ $0[breach, default: BreachCount()].add(now: now) }) else {
            return
        }
        let (message, hint) = breach.words
        BreachCount.tell(
            message, by: peer, limit: breach.rawValue, unsaidCount: unsaidCount, hint: hint, to: self.logger)
    }

    /// How often each bound was broken since the listener began; bounds that never were are missing.
    var breachCounts: [HTTP2Breach: UInt64] { self.breaches.withLock { $0.mapValues(\.count) } }
}
