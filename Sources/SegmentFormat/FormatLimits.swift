/// Every bound of the file format, in one place.
package enum FormatLimits {
    /// Bytes of one frame, header included.
    package static let frameByteCountMax = 16 << 20
    /// Records of one frame; the count fits 16 bits, which producers' results rely on.
    package static let recordsPerFrameMax = 65_535
    /// Marks of a segment's index.
    package static let indexMarksMax = 2048
    /// Compression levels of zlib.
    package static let compressionLevels = 1...9
    /// Records of so many bytes are compressed only if a sample of their first bytes shrinks to this share or less.
    package static let compressionSampledByteCountMin = 16 << 10
    package static let compressionSampleByteCount = 4 << 10
    package static let compressionSampleKeepPercentMax = 90
    /// Bytes of a LEB128 number.
    package static let varintByteCountMax = 10
}
