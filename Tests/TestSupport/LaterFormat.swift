import SegmentFormat

/// Segments as a release would write them that is later than this one.
package enum LaterFormat {
    package static let version = SegmentHeader.version + 1

    /// A segment's bytes in a later format: its header names that, and has the checksum for it.
    ///
    /// - Parameter segment: A whole header, with or without what follows it.
    package static func raised(_ segment: [UInt8]) -> [UInt8] {
        var bytes = segment
        bytes[4] = UInt8(Self.version)
        let checksum = CRC32C.checksum(bytes.span.bytes.extracting(0..<60))
        for byte in 0..<4 { bytes[60 + byte] = UInt8(truncatingIfNeeded: checksum >> (8 * byte)) }
        return bytes
    }
}
