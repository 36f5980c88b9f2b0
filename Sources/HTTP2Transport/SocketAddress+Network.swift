import NIOCore

extension SocketAddress? {
    /// `127.0.0.1:7400`, `[::1]:7400`; what logs call a peer.
    package var peerDescription: String {
        guard let host = self?.ipAddress, let port = self?.port else { return "localhost" }
        return host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }

    /// The bytes of the address: 4, also of an IPv4 address as IPv6 writes it (RFC 4291 §2.5.5.2), or 16.
    var host: [UInt8] {
        switch self {
        case .v4(let address): withUnsafeBytes(of: address.address.sin_addr) { Array($0) }
        case .v6(let address):
            withUnsafeBytes(of: address.address.sin6_addr) { bytes in
                let isMapped = bytes.prefix(10).allSatisfy { $0 == 0 } && bytes[10] == 0xFF && bytes[11] == 0xFF
                return Array(isMapped ? bytes.suffix(4) : bytes[...])
            }
        case .unixDomainSocket, nil: []
        }
    }

    /// The 64 bits of an IPv6 address that name its network: whoever has one address there can have all of them.
    var network: [UInt8]? {
        let host = self.host
        return host.count == 16 ? Array(host.prefix(8)) : nil
    }
}
