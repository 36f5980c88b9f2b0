/// How a range's bytes stand in a body; the numbers are those of the peer protocol.
package enum BodyEncoding: UInt8, Hashable, Sendable, CaseIterable {
    case identity = 0
    /// zlib (RFC 1950), as HTTP's `deflate`.
    case deflate = 1
}

package enum RangeEncodingMode: String, Hashable, Sendable, CaseIterable {
    case identity
    case deflate
    /// Deflated when a sample says that it pays.
    case auto
}

/// Every bound and threshold of the range codec, in one place.
package enum RangeCodecLimits {
    /// Level 1 has the best ratio for the time (performance.md).
    package static let level: Int32 = 1
    /// `auto` leaves shorter ranges alone.
    package static let autoByteCountMin = 4 << 10
    /// Bytes from the middle that `auto` tries first.
    package static let sampleByteCount = 4 << 10
    /// `auto` deflates when a sample shrinks to this share or less.
    package static let sampleKeepPercentMax = 50
    /// What zlib keeps of earlier pieces at most, deflated: its window and its pending buffer.
    static let keptByteCountMax = 256 << 10
    /// What one byte of a deflate stream can hold at most.
    package static let inflationRatioMax = 1_032
}
