import LogModel
import SegmentFormat

extension FrameDefect {
    /// What is wrong, for people.
    package var words: String {
        switch self {
        case .format(let error): error.words
        case .payloadChecksum: "the frame's records are not what its checksum says"
        case .brokenChain: "the frame does not follow the one before it"
        case .wrongIndex(let expected, let found): "the frame begins at index \(found) instead of \(expected)"
        case .termWentBack(let from, let to): "the term goes back from \(from) to \(to)"
        case .timestampWentBack: "the time goes back"
        case .wrongSegment(let expected, let found): "this is segment \(found) instead of \(expected)"
        case .wrongPreviousLength(let expected, let found):
            "the segment before is \(expected) bytes long, and was \(found) when this one began"
        case .checkpointMissing: "the segment does not begin with a checkpoint"
        case .checkpointMisplaced: "a checkpoint within a segment"
        case .wrongPosition(let expected, let found): "bytes of \(found) instead of \(expected)"
        case .endOfData: "zeros"
        case .segmentTooLong: "the segment is longer than an offset can say"
        }
    }
}

extension FormatError {
    package var words: String {
        switch self {
        case .truncated(let needed, let available): "\(needed) bytes are needed, and \(available) are there"
        case .badMagic: "this is not a file of this program"
        case .checksumMismatch: "the header is not what its checksum says"
        case .unsupportedVersion(let version):
            "format version \(version), which this release does not know (it knows \(SegmentHeader.version))"
        case .foreignCluster(let found, let expected): "of cluster \(found) instead of \(expected)"
        case .badLength(let length): "a frame of \(length) bytes, which none can have"
        case .unknownKind(let kind): "a frame of kind \(kind), which this program does not know"
        case .unsupportedFlags(let flags): "a frame with flags \(flags), which this program does not know"
        case .reservedNotZero: "reserved bytes that are not zero"
        case .badRecordCount(let count): "\(count) records, which no such frame can have"
        case .badRecord(let offset): "the record at byte \(offset) of the frame's records cannot be read"
        case .badRawByteCount: "the records do not say how long they are when they are inflated"
        case .badCompression(let error): "the records cannot be inflated (\(error))"
        case .badMark(let number): "mark \(number) of the index is not behind the one before, or outside the segment"
        case .trailingBytes(let count): "\(count) bytes behind the last record"
        case .noRecords: "no records"
        case .tooManyRecords(let count, let max): "\(count) records, more than \(max)"
        case .frameTooLarge(let byteCount, let max): "a frame of \(byteCount) bytes, more than \(max)"
        }
    }
}
