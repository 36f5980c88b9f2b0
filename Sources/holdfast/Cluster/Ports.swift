import Glibc
import HoldfastClient

/// Whether listeners can be opened.
enum Ports {
    /// Whether somebody listens there. Only IPv4 addresses are looked at; anything else counts as free.
    static func isTaken(_ address: ServerAddress) -> Bool {
        let host = address.host == "localhost" ? "127.0.0.1" : address.host
        return self.withBoundSocket(host: host, port: address.port) { $0 == nil && errno == EADDRINUSE }
    }

    /// A run of ports on the loopback address that are all free now: `count` nodes, ten ports apart.
    static func freeBase(nodes count: Int) -> Int? {
        for _ in 0..<100 {
            let base = Int.random(in: 20_000..<(32_000 - count * 10))
            let addresses = (0..<count).flatMap { node in
                (0..<3).map { ServerAddress(host: "127.0.0.1", port: base + node * 10 + $0) }
            }
            if !addresses.contains(where: { self.isTaken($0) }) { return base }
        }
        return nil
    }

    private static func withBoundSocket<Result>(host: String, port: Int, _ body: (Int32?) -> Result) -> Result {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(clamping: port)).bigEndian
        guard inet_pton(AF_INET, host, &address.sin_addr) == 1 else { return body(-1) }
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var yes: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        return body(result == 0 ? descriptor : nil)
    }
}
