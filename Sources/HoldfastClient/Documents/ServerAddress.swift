import HTTP2Transport

/// Where a node's client listener is: `127.0.0.1:7400` or `[::1]:7400`.
public struct ServerAddress: Hashable, Sendable, CustomStringConvertible {
    public var host: String
    public var port: Int

    public init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// Accepts a leading `http://` and a trailing `/`, as people paste them.
    ///
    /// - Returns: `nil` without a host or with a port outside 1 ... 65535.
    public init?(_ text: some StringProtocol) {
        var rest = Substring(text)
        if rest.hasPrefix("http://") { rest = rest.dropFirst("http://".count) }
        if rest.hasSuffix("/") { rest = rest.dropLast() }
        guard let address = HTTP2Address(rest) else { return nil }
        self.init(host: address.host, port: address.port)
    }

    /// `127.0.0.1:7400,127.0.0.1:7410`
    public static func list(_ text: String) -> [ServerAddress]? {
        let addresses = text.split(separator: ",").map { ServerAddress($0) }
        guard !addresses.isEmpty, !addresses.contains(nil) else { return nil }
        return addresses.compactMap { $0 }
    }

    public var description: String { HTTP2Address(host: self.host, port: self.port).description }

    /// Whether only this machine can reach it.
    package var isLoopback: Bool {
        self.host == "localhost" || self.host == "::1" || self.host.hasPrefix("127.")
    }
}
