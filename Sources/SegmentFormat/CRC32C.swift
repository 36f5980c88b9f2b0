import CRC32C

/// The checksum of every header and payload: CRC-32C (Castagnoli; RFC 3720 appendix B.4).
package enum CRC32C {
    package static func checksum(_ bytes: RawSpan) -> UInt32 {
        Self.checksum(bytes, extending: 0)
    }

    /// The checksum of everything that `start` covers followed by `bytes`.
    package static func checksum(_ bytes: RawSpan, extending start: UInt32) -> UInt32 {
        // The C edge: the pointer is used within the call only.
        bytes.withUnsafeBytes { holdfast_crc32c(start, $0.baseAddress, $0.count) }
    }
}
