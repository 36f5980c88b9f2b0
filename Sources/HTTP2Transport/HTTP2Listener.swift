import Logging
import NIOCore
import Synchronization

/// What all connections of one listener share: who is connected, how much is unsent, what was refused.
final class HTTP2Listener: Sendable {
    private struct Connections {
        var open: [ObjectIdentifier: HTTP2Connection] = [:]
        /// By address, and by network: of different lengths.
        var counts: [[UInt8]: Int] = [:]
    }

    private struct Refusals {
        var count: UInt64 = 0
        var unsaidCount: UInt64 = 0
        /// Monotonic nanoseconds.
        var saidAt: UInt64?

        /// - Returns: `nil` when it is not to be said; else how many were not said before.
        mutating func add(now: UInt64) -> UInt64? {
            self.count += 1
            if let saidAt, now < saidAt + HTTP2Listener.silenceNanoseconds {
                self.unsaidCount += 1
                return nil
            }
            self.saidAt = now
            defer { self.unsaidCount = 0 }
            return self.unsaidCount
        }
    }

    private static let silenceNanoseconds: UInt64 = 1_000_000_000

    let limits: HTTP2Limits
    private let logger: Logger
    private let connections = Mutex(Connections())
    private let refusals = Mutex<[HTTP2Breach: Refusals]>([:])
    private let unsent = Atomic<Int>(0)

    init(limits: HTTP2Limits, logger: Logger) {
        self.limits = limits
        self.logger = logger
    }

    // MARK: Connections

    /// - Returns: Which bound does not let it in; `nil` once it is in, until ``remove(_:)``.
    func add(_ connection: HTTP2Connection) -> HTTP2Breach? {
        let bounds = self.bounds(of: connection)
        return self.connections.withLock { connections in
            guard connections.open.count < self.limits.connectionsMax else { return .connections }
            guard bounds.allSatisfy({ connections.counts[$0.source, default: 0] < $0.max }) else {
                return .connectionsPerAddress
            }
            connections.open[ObjectIdentifier(connection)] = connection
            for (source, _) in bounds { connections.counts[source, default: 0] += 1 }
            return nil
        }
    }

    /// Who is counted, and how many connections each may have.
    private func bounds(of connection: HTTP2Connection) -> [(source: [UInt8], max: Int)] {
        let address = (connection.remoteAddress.host, self.limits.connectionsPerAddressMax)
        guard let network = connection.remoteAddress.network else { return [address] }
        return [address, (network, self.limits.connectionsPerNetworkMax)]
    }

    func remove(_ connection: HTTP2Connection) {
        let bounds = self.bounds(of: connection)
        self.connections.withLock { connections in
            guard connections.open.removeValue(forKey: ObjectIdentifier(connection)) != nil else { return }
            for (source, _) in bounds {
                let count = connections.counts[source, default: 0]
                connections.counts[source] = count > 1 ? count - 1 : nil
            }
        }
    }

    var openConnections: [HTTP2Connection] { self.connections.withLock { Array($0.open.values) } }
    var connectionCount: Int { self.connections.withLock { $0.open.count } }

    // MARK: Unsent bytes

    /// Bytes of bodies that wait for their peers, over all connections.
    var unsentByteCount: Int { self.unsent.load(ordering: .relaxed) }

    func changeUnsent(by byteCount: Int) { self.unsent.add(byteCount, ordering: .relaxed) }

    // MARK: Refusals

    /// Counts it, and says it at most once a second: an attacker should not fill the log.
    func record(_ breach: HTTP2Breach, by peer: String) {
        let now = NIODeadline.now().uptimeNanoseconds
        let unsaidCount = self.refusals.withLock { $0[breach, default: Refusals()].add(now: now) }
        guard let unsaidCount else { return }
        var metadata: Logger.Metadata = ["peer": "\(peer)", "limit": "\(breach.rawValue)"]
        if unsaidCount > 0 { metadata["unsaid"] = "\(unsaidCount)" }
        self.logger.warning(
            "a peer broke a limit of this listener and was cut off",
            metadata: metadata.merging([
                "hint": "mend the client there, or close the port to it: the article Hardening says what is borne"
            ]) { $1 })
    }

    /// How often each bound was broken since the listener began; bounds that never were are missing.
    var breachCounts: [HTTP2Breach: UInt64] { self.refusals.withLock { $0.mapValues(\.count) } }
}
