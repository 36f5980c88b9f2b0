/// Every bound of the file format, in one place.
package enum FormatLimits {
    /// Bytes of one frame, header included.
    package static let frameByteCountMax = 16 << 20
    /// Records of one frame; the count fits 16 bits, which producers' results rely on.
    package static let recordsPerFrameMax = 65_535
    /// Bytes of a LEB128 number.
    package static let varintByteCountMax = 10
}
