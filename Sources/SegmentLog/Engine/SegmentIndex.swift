import LogModel
import SegmentFormat

/// Where some frames of one segment begin: makes a seek one small scan.
///
/// A hint: built while appending or walking, never stored, never trusted; what it points at is checked when read.
struct SegmentIndex: Sendable {
    struct Mark: Sendable {
        var offset: UInt32
        var firstIndex: LogIndex
        var timestamp: Timestamp
    }

    /// Bytes between two marks, at least.
    let spacing: UInt32
    private(set) var marks: [Mark] = []

    init(spacing: UInt32) { self.spacing = spacing }

    init(segmentByteCountMax: Int) {
        self.spacing = UInt32(max(1024, segmentByteCountMax / EngineLimits.indexMarksMax))
    }

    /// Notes a frame if it lies far enough behind the last mark.
    mutating func note(_ header: FrameHeader, at offset: UInt32) {
        if let last = self.marks.last, offset < last.offset + self.spacing { return }
        guard self.marks.count < EngineLimits.indexMarksMax else { return }
        self.marks.append(Mark(offset: offset, firstIndex: header.firstIndex, timestamp: header.timestamp))
    }

    mutating func truncate(to offset: UInt32) {
        while let last = self.marks.last, last.offset >= offset { self.marks.removeLast() }
    }

    /// The last marked offset whose frame satisfies `isBelow`, which must hold for a prefix of the frames; the
    /// segment's first frame if none does.
    func floor(_ isBelow: (Mark) -> Bool) -> UInt32 {
        var low = 0
        var high = self.marks.count
        while low < high {
            let middle = (low + high) / 2
            if isBelow(self.marks[middle]) { low = middle + 1 } else { high = middle }
        }
        return low == 0 ? UInt32(SegmentHeader.byteCount) : self.marks[low - 1].offset
    }
}
