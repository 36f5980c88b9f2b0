import HTTP2Session
import HTTP2Transport
import HoldfastClient
import Logging
import NIOCore
import NIOPosix

/// Why an append was not acknowledged.
enum AppendFailure: Error {
    /// The answer says no.
    case refused(String)
    /// No answer: the connection is gone.
    case connectionLost

    var text: String {
        switch self {
        case .refused(let reason): reason
        case .connectionLost: "the connection was lost"
        }
    }
}

/// One connection to one node, whatever it speaks. Event loop only.
protocol Appender: AnyObject {
    /// Appends records together, and tells once a quorum has them: once, never before it returns.
    ///
    /// - Parameter records: At least one. Only ``PeerSystem/takesBatches`` take more.
    func append(_ records: ArraySlice<ByteBuffer>, told: @escaping (AppendFailure?) -> Void)

    /// What is under way is told that the connection was lost.
    func close()
}

/// What is measured.
enum PeerSystem: String, CaseIterable, Sendable {
    case holdfast
    case etcd
    case nats

    /// Records of one request that are applied together, or not at all.
    var takesBatches: Bool { self == .etcd }

    /// - Returns: A future on `eventLoop`, which fails when nobody listens there.
    func connect(
        to server: ServerAddress, connectMilliseconds: UInt64 = 2_000, on eventLoop: any EventLoop
    ) -> EventLoopFuture<NIOLoopBound<any Appender>> {
        switch self {
        case .holdfast, .etcd:
            let dialect: HTTPAppender.Dialect = self == .etcd ? .etcd : .holdfast
            var limits = HTTP2Limits.peer
            limits.connectMilliseconds = connectMilliseconds
            return HTTP2Connection.connect(
                host: server.host, port: server.port, on: eventLoop, limits: limits, logger: .silent
            ).map { NIOLoopBound(HTTPAppender(dialect, on: $0, at: server), eventLoop: eventLoop) }
        case .nats:
            return NATSConnection.connect(
                to: server, connectMilliseconds: connectMilliseconds, on: eventLoop
            ).map { NIOLoopBound($0.value, eventLoop: eventLoop) }
        }
    }
}

extension HTTP2Limits {
    /// etcd pings whenever data comes, to estimate the bandwidth: a session's own bound would end it after some seconds.
    static var peer: HTTP2Limits {
        var limits = HTTP2Limits()
        limits.session.pings = RateBudget(burst: 1_000_000, perSecond: 1_000_000)
        return limits
    }
}

extension Logger {
    static var silent: Logger { Logger(label: "peer-bench") { _ in SwiftLogNoOpLogHandler() } }
}
