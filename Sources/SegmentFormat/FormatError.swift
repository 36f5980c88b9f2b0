import LogModel
import RangeCodec

/// Why bytes are not what the format says, or why records do not fit into it.
package enum FormatError: Error, Hashable, Sendable {
    case truncated(needed: Int, available: Int)
    case badMagic(UInt32)
    case checksumMismatch(stored: UInt32, computed: UInt32)
    case unsupportedVersion(UInt16)
    case foreignCluster(found: ClusterID, expected: ClusterID)
    /// A frame's length is below its header's or above ``FormatLimits/frameByteCountMax``.
    case badLength(UInt32)
    case unknownKind(UInt8)
    /// Flags of a later version: what they mean for the rest is unknown.
    case unsupportedFlags(UInt8)
    case reservedNotZero
    /// Records in a control frame, none in a frame of records, too many, or more than there are indexes left.
    case badRecordCount(UInt32)
    /// A record cannot be read; `offset` counts from the start of the payload.
    case badRecord(offset: Int)
    /// Compressed records do not begin with how many bytes they are.
    case badRawByteCount
    /// Compressed records are not what they announce.
    case badCompression(RangeError)
    /// A mark of an index is not behind the one before, or outside the segment.
    case badMark(Int)
    /// Bytes follow the last record.
    case trailingBytes(Int)
    /// Refused before anything was encoded: an append needs at least one record.
    case noRecords
    /// Refused before anything was encoded.
    case tooManyRecords(count: Int, max: Int)
    /// Refused before anything was encoded.
    case frameTooLarge(byteCount: Int, max: Int)

    /// The version that a header names, where this build knows another: its checksum is right, so nothing is damaged.
    package var laterVersion: UInt16? {
        if case .unsupportedVersion(let version) = self { version } else { nil }
    }
}
