import HTTP2Session

/// What tests need that speak to a server session in frames of their own making.
protocol RawPeer {}

extension RawPeer {
    /// And SETTINGS.
    static var preface: [UInt8] { Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + Self.frame(4) }

    static func frame(_ type: UInt8, flags: UInt8 = 0, stream: UInt32 = 0, _ payload: [UInt8] = []) -> [UInt8] {
        let count = payload.count
        let id = (0..<4).map { UInt8(truncatingIfNeeded: stream >> (24 - 8 * $0)) }
        return [UInt8(count >> 16), UInt8(count >> 8 & 255), UInt8(count & 255), type, flags] + id + payload
    }

    /// `:method: GET`, `:scheme: http`, `:path: /` from the static table, `:authority: n`.
    static func request(_ stream: UInt32, end: Bool = true) -> [UInt8] {
        Self.frame(1, flags: end ? 5 : 4, stream: stream, [0x82, 0x86, 0x84, 0x01, 1, 0x6e])
    }

    func server() throws -> SessionEnd {
        let end = try SessionEnd(.server, HTTP2SessionLimits())
        try end.receive(Self.preface)
        return end
    }
}
