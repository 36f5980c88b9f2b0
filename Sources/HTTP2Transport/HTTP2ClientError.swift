import HTTP2Session

/// Why there is no answer, told apart by whether the peer can have acted on the request.
package enum HTTP2ClientError: Error, Hashable, Sendable {
    // Certainly not processed.
    /// No connection; `reason` is for people.
    case unreachable(HTTP2Address, reason: String)
    /// One side does not take the other's certificate, or not both speak TLS.
    case untrusted(HTTP2Address, TLSRefusal)
    /// The peer speaks HTTP, and of its versions only 1.1.
    case http11Only(HTTP2Address)
    /// The peer turned the request away unprocessed, or is going away.
    case refused
    /// This client has its limit of requests under way.
    case tooManyRequests
    /// The time was over before a connection stood.
    case timedOutUnsent
    /// The client was shut down, or the task cancelled, before the request was sent.
    case cancelledUnsent

    // Outcome unknown.
    case timedOut
    case connectionLost
    case reset(HTTP2FailureCode)
    /// The answer's body is larger than `limit` bytes.
    case bodyTooLarge(limit: Int)
    case cancelled

    /// The peer cannot have acted on the request: it may be sent again, here or elsewhere.
    package var isCertainlyUnprocessed: Bool {
        switch self {
        case .unreachable, .untrusted, .http11Only, .refused, .tooManyRequests, .timedOutUnsent, .cancelledUnsent: true
        case .timedOut, .connectionLost, .reset, .bodyTooLarge, .cancelled: false
        }
    }
}

extension HTTP2ClientError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .unreachable(_, let reason): "no connection: \(reason)"
        case .untrusted(_, let refusal): refusal.description
        case .http11Only: "it speaks HTTP/1.1 only"
        case .refused: "the request was turned away"
        case .tooManyRequests: "too many requests are under way"
        case .timedOutUnsent: "no connection in time"
        case .cancelledUnsent, .cancelled: "cancelled"
        case .timedOut: "no answer in time"
        case .connectionLost: "the connection was lost"
        case .reset(let code): "the request was reset (\(code))"
        case .bodyTooLarge(let limit): "the answer is larger than \(limit) bytes"
        }
    }
}

/// Where a peer listens.
package struct HTTP2Address: Hashable, Sendable, CustomStringConvertible {
    package var host: String
    package var port: Int
    package init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// Parses `host:port`, where a host with colons stands in brackets.
    ///
    /// - Returns: `nil` without a host or with a port above 65535.
    package init?(_ text: some StringProtocol) {
        guard let colon = text.lastIndex(of: ":") else { return nil }
        let digits = text[text.index(after: colon)...]
        var host = Substring(text[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            return nil
        }
        guard
            !host.isEmpty, !host.contains(where: { $0 == "/" || $0 == "=" || $0.isWhitespace }),
            digits.allSatisfy(\.isNumber), let port = Int(digits), port <= 65_535
        else { return nil }
        self.init(host: String(host), port: port)
    }

    /// `host:port`, as in `:authority`.
    package var description: String {
        self.host.contains(":") ? "[\(self.host)]:\(self.port)" : "\(self.host):\(self.port)"
    }
}
