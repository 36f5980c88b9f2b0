import DiskIO
import LogModel
import SegmentFormat

/// Frames behind the tail, told by their headers alone: nobody can vouch for them, but the report counts them.
enum LooseFrames {
    /// - Parameter start: Where a frame may begin.
    /// - Returns: How many good headers follow each other from there, each where the one before ends.
    /// - Complexity: Reads `start..<end` at most once.
    static func count(in file: any File, from start: Int, end: Int) throws(LogError) -> Int {
        try disk { () throws(DiskError) in
            var window = FrameWindow(file, end: end)
            var offset = start
            var count = 0
            while offset < end {
                let bytes = try window.bytes(at: offset, count: FrameHeader.producerByteCount)
                guard let header = try? FrameHeader.decode(bytes.span.bytes) else { break }
                count += 1
                offset += Int(header.length)
            }
            return count
        }
    }
}
