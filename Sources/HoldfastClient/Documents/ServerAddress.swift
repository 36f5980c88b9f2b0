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
        guard let colon = rest.lastIndex(of: ":") else { return nil }
        let digits = rest[rest.index(after: colon)...]
        var host = rest[..<colon]
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

    /// `127.0.0.1:7400,127.0.0.1:7410`
    public static func list(_ text: String) -> [ServerAddress]? {
        let addresses = text.split(separator: ",").map { ServerAddress($0) }
        guard !addresses.isEmpty, !addresses.contains(nil) else { return nil }
        return addresses.compactMap { $0 }
    }

    public var description: String {
        self.host.contains(":") ? "[\(self.host)]:\(self.port)" : "\(self.host):\(self.port)"
    }

    /// Whether only this machine can reach it.
    package var isLoopback: Bool {
        self.host == "localhost" || self.host == "::1" || self.host.hasPrefix("127.")
    }
}
