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
        case unknown
    }

    private static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
    private static let upperCase = UInt8(ascii: "A")...UInt8(ascii: "Z")
    private var bytes = ByteBuffer()

    mutating func add(_ buffer: inout ByteBuffer) -> Verdict {
        if self.bytes.readableBytes == 0 { swap(&self.bytes, &buffer) } else { self.bytes.writeBuffer(&buffer) }
        let view = self.bytes.readableBytesView
        if zip(view, Self.preface).allSatisfy({ $0 == $1 }) {
            guard view.count >= Self.preface.count else { return .needsMore }
            defer { self.bytes = ByteBuffer() }
            return .http2(self.bytes)
        }
        return Self.upperCase.contains(view.first ?? 0) ? .http1 : .unknown
    }
}

/// What an HTTP/1 client gets to read.
enum HTTP1Hint {
    private static let text = """
        This port speaks HTTP/2 only. Try: curl --http2-prior-knowledge ...

        """

    static let response = """
        HTTP/1.1 426 Upgrade Required\r
        Upgrade: h2c\r
        Connection: Upgrade, close\r
        Content-Type: text/plain; charset=utf-8\r
        Content-Length: \(text.utf8.count)\r
        \r
        \(text)
        """
}
