import Glibc
import NIOCore
import NIOPosix

/// Why there is no connection.
package enum HTTP2ConnectFailure {
    /// In words for people.
    case network(String)
    case refused(TLSRefusal)

    /// - Parameter error: What ``HTTP2Connection/connect(host:port:on:limits:tls:logger:)`` failed with.
    package init(_ error: any Error) {
        if let refusal = error as? TLSRefusal, !refusal.mayPass {
            self = .refused(refusal)
        } else {
            self = .network(Self.words(error))
        }
    }

    func error(at address: HTTP2Address) -> HTTP2ClientError {
        switch self {
        case .network(let reason): .unreachable(address, reason: reason)
        case .refused(let refusal): .untrusted(address, refusal)
        }
    }

    /// `EAI_NODATA` of glibc, which Swift does not see: the name is there, and has no address.
    private static let noDataCode = -5

    private static func words(_ error: any Error) -> String {
        switch error {
        case let error as IOError: String(cString: strerror(error.errnoCode))
        case let error as NIOConnectionError: self.words(error)
        case let error as SocketAddressError.UnknownHost:
            [Int(EAI_NONAME), Self.noDataCode].contains(error.errorCode)
                ? "there is no host of the name \(error.host) (\(error.errorDescription))"
                : "the name \(error.host) was not resolved (\(error.errorDescription))"
        case ChannelError.connectTimeout(let time): "nobody answered within \(time.nanoseconds / 1_000_000) ms"
        default: "\(error)"
        }
    }

    /// A name may stand for several addresses, and each has failed; the last word is as good as the others.
    private static func words(_ error: NIOConnectionError) -> String {
        if let last = error.connectionErrors.last { return self.words(last.error) }
        return (error.dnsAError ?? error.dnsAAAAError).map(self.words) ?? "\(error.host) has no address"
    }
}
