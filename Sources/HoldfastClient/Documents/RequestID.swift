import HTTPTypes

/// By what a request is found again in its answer and in the journals of the nodes that it passes: `X-Request-Id`.
package enum RequestID {
    package static let byteCountMax = 128

    /// The caller's, where it is a good one; else a drawn one.
    package static func of(_ fields: HTTPFields) -> String {
        fields[.xRequestID].flatMap { Self.isGood($0) ? $0 : nil } ?? Self.drawn()
    }

    /// Sixteen digits.
    package static func drawn() -> String { String(UInt64.random(in: 1 << 60 ... .max), radix: 16) }

    /// What stands in a log line and a header as it is.
    private static func isGood(_ id: String) -> Bool {
        (1...Self.byteCountMax).contains(id.utf8.count)
            && id.utf8.allSatisfy {
                switch $0 {
                case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                    UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."),
                    UInt8(ascii: ":"):
                    true
                default: false
                }
            }
    }
}
