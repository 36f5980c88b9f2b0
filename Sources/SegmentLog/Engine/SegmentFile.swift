import DiskIO
import LogModel
import SegmentFormat

/// A sealed segment's file, to be copied byte by byte: what it holds never changes again, and it can be read to its end
/// also when it is trimmed meanwhile.
///
/// Any thread. The frames are not checked: whoever takes the copy does that.
package struct SegmentFile: Sendable {
    package let segment: SegmentID
    /// Its exact length.
    package let byteCount: Int
    /// Header checksum of its last frame: with cluster and number it names the contents, since the frames form a chain.
    package let lastChecksum: UInt32
    private let file: any File

    fileprivate init(_ segment: LogLayout.Segment, next: SegmentHeader, file: any File) {
        self.segment = segment.id
        self.byteCount = Int(segment.byteCount)
        self.lastChecksum = next.previousChecksum
        self.file = file
    }

    /// - Parameter range: Within the segment.
    /// - Throws: ``LogError/damaged(_:)`` when the file is shorter than it should be, ``LogError/storage(_:)``.
    package func read(_ range: Range<Int>) throws(LogError) -> Bytes {
        precondition(range.upperBound <= self.byteCount, "bytes \(range) of a segment of \(self.byteCount)")
        let bytes = try disk { () throws(DiskError) in
            try self.file.read(at: range.lowerBound, count: range.count)
        }
        guard bytes.count == range.count else {
            throw .damaged(Damage(self.segment, range.lowerBound + bytes.count..<range.upperBound, .lost))
        }
        return bytes[...]
    }
}

extension LogStore {
    /// The file of a sealed segment that lies wholly below `commit`.
    ///
    /// - Throws: ``LogError/trimmed(first:)``; ``LogError/beyondTail(tail:)`` when the log does not reach there;
    ///   ``LogError/notSealed(_:)`` when it is still written to, or not wholly committed; ``LogError/damaged(_:)`` when
    ///   any of it is known to be; ``LogError/storage(_:)``.
    package func sealedFile(_ id: SegmentID, committedThrough commit: Position) throws(LogError) -> SegmentFile {
        let segment = try self.segment(id)
        let end = Position(segment: id, offset: segment.byteCount)
        guard id < self.written.position.segment, end <= commit else { throw .notSealed(id) }
        try self.quarantine.check(0..<Int(segment.byteCount), of: id)
        let next = try self.header(of: id.next)
        return SegmentFile(segment, next: next, file: try self.descriptors.file(of: id))
    }
}
