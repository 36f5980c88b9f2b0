import Logging
import NIOCore

/// At most one connection per address, made when needed. Confined to the client's event loop.
///
/// ```
/// idle --request--> connecting --connected--> open --closed--> idle
///   ^                   | failed: the waiting requests fail
///   '--- backoff over --+-> backing off: requests fail at once
/// ```
final class ConnectionPool {
    private struct Entry {
        var connection: HTTP2Connection?
        var isConnecting = false
        var waiting: [ClientExchange] = []
        var failureCount: UInt64 = 0
        var retryAt = NIODeadline.uptimeNanoseconds(0)
        var failure = HTTP2ConnectFailure.network("")
    }

    private let eventLoop: any EventLoop
    let limits: HTTP2Limits
    private let tls: TLSCalling?
    private let logger: Logger
    private var entries: [HTTP2Address: Entry] = [:]
    /// Those of `entries`, and those that are going away.
    private var connections: [ObjectIdentifier: HTTP2Connection] = [:]
    private var isShutDown = false

    init(eventLoop: any EventLoop, limits: HTTP2Limits, tls: TLSCalling?, logger: Logger) {
        self.eventLoop = eventLoop
        self.limits = limits
        self.tls = tls
        self.logger = logger
    }

    func submit(_ exchange: ClientExchange) {
        guard !exchange.isDone else { return }
        guard !self.isShutDown else { return exchange.fail(.cancelledUnsent) }
        let address = exchange.address
        var entry = self.entries[address] ?? Entry()
        if let connection = entry.connection {
            if connection.isUsable { return exchange.start(on: connection) }
            guard connection.isGoingAway else { return exchange.fail(.tooManyRequests) }
            entry.connection = nil
        }
        if !entry.isConnecting, NIODeadline.now() < entry.retryAt {
            return exchange.fail(entry.failure.error(at: address))
        }
        entry.waiting.removeAll { $0.isDone }
        guard entry.waiting.count < self.limits.pendingRequestsMax else { return exchange.fail(.tooManyRequests) }
        entry.waiting.append(exchange)
        let mustConnect = !entry.isConnecting
        entry.isConnecting = true
        self.entries[address] = entry
        if mustConnect { self.connect(to: address) }
    }

    private func connect(to address: HTTP2Address) {
        let connected = HTTP2Connection.connect(
            host: address.host, port: address.port, on: self.eventLoop, limits: self.limits, tls: self.tls,
            logger: self.logger)
        connected.assumeIsolated().whenComplete { result in
            switch result {
            case .success(let connection): self.connected(connection, to: address)
            case .failure(let error): self.failed(error, address)
            }
        }
    }

    private func connected(_ connection: HTTP2Connection, to address: HTTP2Address) {
        guard !self.isShutDown else { return connection.close() }
        let waiting = self.entries[address]?.waiting ?? []
        self.entries[address] = Entry(connection: connection)
        self.connections[ObjectIdentifier(connection)] = connection
        connection.closeFuture.assumeIsolated().whenComplete { _ in self.closed(connection, address) }
        for exchange in waiting { exchange.start(on: connection) }
    }

    private func failed(_ error: any Error, _ address: HTTP2Address) {
        var entry = self.entries[address] ?? Entry()
        let waiting = entry.waiting
        entry.waiting = []
        entry.isConnecting = false
        let backoff = self.limits.backoffMillisecondsMin << min(entry.failureCount, 16)
        entry.retryAt = .now() + .milliseconds(Int64(clamping: min(backoff, self.limits.backoffMillisecondsMax)))
        entry.failureCount += 1
        entry.failure = HTTP2ConnectFailure(error)
        self.entries[address] = entry
        for exchange in waiting { exchange.fail(entry.failure.error(at: address)) }
    }

    private func closed(_ connection: HTTP2Connection, _ address: HTTP2Address) {
        self.connections[ObjectIdentifier(connection)] = nil
        guard self.entries[address]?.connection === connection else { return }
        self.entries[address] = nil
    }

    /// - Returns: What is still to close.
    func shutDown() -> [HTTP2Connection] {
        self.isShutDown = true
        let entries = self.entries.values
        self.entries = [:]
        for entry in entries { for exchange in entry.waiting { exchange.fail(.cancelledUnsent) } }
        let connections = Array(self.connections.values)
        for connection in connections { connection.shutDown() }
        return connections
    }
}
