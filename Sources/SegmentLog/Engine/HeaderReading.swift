import DiskIO
import SegmentFormat

/// A segment's header as it stands in its file, and how long that is.
///
/// Of a directory that is being opened each is read once, before anything there is changed, and handed on.
struct HeaderReading {
    /// Of the file.
    var byteCount: Int
    var header: Result<SegmentHeader, FormatError>

    /// - Complexity: One read.
    init(_ file: any File) throws(DiskError) {
        self.byteCount = try file.byteCount()
        let bytes = try file.read(at: 0, count: SegmentHeader.byteCount)
        self.header = Result { () throws(FormatError) in try SegmentHeader.decode(bytes.span.bytes) }
    }
}
