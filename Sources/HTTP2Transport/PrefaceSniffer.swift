import NIOCore

/// Looks at a connection's first bytes: HTTP/2 with prior knowledge begins with 24 that nothing else begins with
/// (RFC 9113 §3.4).
struct PrefaceSniffer {
    enum Verdict: Equatable {
        case needsMore
        /// All bytes so far, the preface included.
        case http2(ByteBuffer)
        /// Looks like an HTTP/1 request line.
        case http1
        /// Looks like the first message of a TLS handshake.
        case tls
        case unknown
    }

    private static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
    private static let upperCase = UInt8(ascii: "A")...UInt8(ascii: "Z")
    private static let handshake: UInt8 = 22
    private var bytes = ByteBuffer()

    mutating func add(_ buffer: inout ByteBuffer) -> Verdict {
        if self.bytes.readableBytes == 0 { swap(&self.bytes, &buffer) } else { self.bytes.writeBuffer(&buffer) }
        let view = self.bytes.readableBytesView
        if zip(view, Self.preface).allSatisfy({ $0 == $1 }) {
            guard view.count >= Self.preface.count else { return .needsMore }
            defer { self.bytes = ByteBuffer() }
            return .http2(self.bytes)
        }
        switch view.first {
        case Self.handshake: return .tls
        case let first?: return Self.upperCase.contains(first) ? .http1 : .unknown
        case nil: return .needsMore
        }
    }
}

/// What an HTTP/1 client gets to read; of a TLS client it is the end: what comes is no TLS.
struct HTTP1Hint {
    /// Whether the connection is by TLS.
    var isSecure: Bool
    var refusal: TLSRefusal?
    /// What the port is for, where HTTP/2 alone does not help; one line.
    var purpose: String?

    private var text: String {
        if let refusal { return refusal.answer + "\n" }
        if let purpose { return purpose + "\n" }
        return self.isSecure
            ? "This port speaks HTTP/2 only. Try: curl --http2 ...\n"
            : "This port speaks HTTP/2 only. Try: curl --http2-prior-knowledge ...\n"
    }

    var response: String {
        """
        HTTP/1.1 426 Upgrade Required\r
        Upgrade: \(self.isSecure ? "h2" : "h2c")\r
        Connection: Upgrade, close\r
        Content-Type: text/plain; charset=utf-8\r
        Content-Length: \(self.text.utf8.count)\r
        \r
        \(self.text)
        """
    }
}
