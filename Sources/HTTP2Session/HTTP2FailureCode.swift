/// Why a stream was reset or a connection given up (RFC 9113 §7).
package struct HTTP2FailureCode: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    package var rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    package static let noError = HTTP2FailureCode(rawValue: 0)
    package static let protocolError = HTTP2FailureCode(rawValue: 1)
    package static let internalError = HTTP2FailureCode(rawValue: 2)
    package static let flowControlError = HTTP2FailureCode(rawValue: 3)
    package static let settingsTimeout = HTTP2FailureCode(rawValue: 4)
    package static let streamClosed = HTTP2FailureCode(rawValue: 5)
    package static let frameSizeError = HTTP2FailureCode(rawValue: 6)
    /// The request was not processed at all; it may be sent again.
    package static let refusedStream = HTTP2FailureCode(rawValue: 7)
    package static let cancel = HTTP2FailureCode(rawValue: 8)
    package static let compressionError = HTTP2FailureCode(rawValue: 9)
    package static let connectError = HTTP2FailureCode(rawValue: 10)
    package static let enhanceYourCalm = HTTP2FailureCode(rawValue: 11)
    package static let inadequateSecurity = HTTP2FailureCode(rawValue: 12)
    package static let http11Required = HTTP2FailureCode(rawValue: 13)

    private static let names = [
        "NO_ERROR", "PROTOCOL_ERROR", "INTERNAL_ERROR", "FLOW_CONTROL_ERROR", "SETTINGS_TIMEOUT", "STREAM_CLOSED",
        "FRAME_SIZE_ERROR", "REFUSED_STREAM", "CANCEL", "COMPRESSION_ERROR", "CONNECT_ERROR", "ENHANCE_YOUR_CALM",
        "INADEQUATE_SECURITY", "HTTP_1_1_REQUIRED",
    ]

    /// The name that RFC 9113 gives it.
    package var description: String {
        self.rawValue < Self.names.count ? Self.names[Int(self.rawValue)] : "HTTP/2 error \(self.rawValue)"
    }
}
