import HTTP2Transport
import Logging
import NIOCore
import Synchronization

/// What all connections of the listener share: how many there are, from where, and which bounds they ran into.
final class AdminConnections: Sendable {
    private struct State {
        var count = 0
        var sources = SourceCounts()
        var breaches: [ConnectionBreach: BreachCount] = [:]
    }

    let bounds: ConnectionBounds
    /// Of requests that are taken to the client API.
    let bodies: BodyBudget
    private let logger: Logger
    private let state = Mutex(State())

    init(bounds: ConnectionBounds, logger: Logger) {
        self.bounds = bounds
        self.bodies = BodyBudget(
            AdminLimits.mirroredBodiesByteCountMax, share: bounds.share(of: AdminLimits.mirroredBodiesByteCountMax),
            pace: AdminLimits.bodyPace)
        self.logger = logger
    }

    /// - Returns: Which bound does not let it in; `nil` once it is counted, until ``remove(_:)``.
    func add(_ address: SocketAddress?) -> ConnectionBreach? {
        self.state.withLock { state in
            guard state.count < self.bounds.connectionsMax else { return .connections }
            let isCounted = state.sources.add(
                address, perAddressMax: self.bounds.connectionsPerAddressMax,
                perNetworkMax: self.bounds.connectionsPerNetworkMax)
            guard isCounted else { return .connectionsPerAddress }
            state.count += 1
            return nil
        }
    }

    func remove(_ address: SocketAddress?) {
        self.state.withLock { state in
            state.count -= 1
            state.sources.remove(address)
        }
    }

    /// Counts it, and says it at most once a second.
    func record(_ breach: ConnectionBreach, by address: SocketAddress?) {
        let now = NIODeadline.now().uptimeNanoseconds
        let unsaidCount = self.state.withLock { $0.breaches[breach, default: BreachCount()].add(now: now) }
        guard let unsaidCount else { return }
        let (message, hint) = breach.words
        BreachCount.tell(
            message, by: address.peerDescription, limit: breach.rawValue, unsaidCount: unsaidCount, hint: hint,
            to: self.logger)
    }

    /// As metrics tell of it: all bounds, also those that nobody broke.
    var metrics: NodeMetrics.Listener {
        self.state.withLock { state in
            NodeMetrics.Listener(
                name: "admin", connectionCount: state.count,
                breaches: Dictionary(
                    uniqueKeysWithValues: ConnectionBreach.allCases.map {
                        ($0.rawValue, state.breaches[$0]?.count ?? 0)
                    }))
        }
    }
}
