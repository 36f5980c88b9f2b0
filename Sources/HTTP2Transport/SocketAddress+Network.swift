import NIOCore

extension SocketAddress? {
    /// `127.0.0.1:7400`, `[::1]:7400`; what logs call a peer.
    var peerDescription: String {
        guard let host = self?.ipAddress, let port = self?.port else { return "localhost" }
        return host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }

    /// Who is counted as one: an IPv4 address, or the 64 bits of an IPv6 address that name its network, since whoever has one
    /// address there has all of them.
    var network: [UInt8] {
        switch self {
        case .v4(let address): withUnsafeBytes(of: address.address.sin_addr) { Array($0) }
        case .v6(let address):
            withUnsafeBytes(of: address.address.sin6_addr) { bytes in
                // An IPv4 address as IPv6 writes it (RFC 4291 §2.5.5.2): the same as that.
                let isMapped = bytes.prefix(10).allSatisfy { $0 == 0 } && bytes[10] == 0xFF && bytes[11] == 0xFF
                return Array(isMapped ? bytes.suffix(4) : bytes.prefix(8))
            }
        case .unixDomainSocket, nil: []
        }
    }
}
