/// Every bound of the peer protocol's messages, in one place.
package enum WireLimits {
    /// The latest version of which this module has the layouts. Which versions a node speaks is not said here: each stream
    /// is of the one that its two nodes agreed on.
    package static let versionMax: UInt16 = 1
    /// Raw bytes that a RANGE may announce: the largest frame behind a segment's header and checkpoint.
    package static let rangeByteCountMax = (16 << 20) + (512 << 10)
    /// Bytes of a message behind its length: the largest RANGE with its head.
    package static let messageByteCountMax = Self.rangeByteCountMax + 4_096
    package static let termMax: UInt64 = 1 << 48
    package static let termStartsMax = 64
    package static let foundersMax = 31
    /// Voters, outgoing voters and learners.
    package static let membersMax = 70
}
