import LogModel
import SegmentFormat

/// Where some frames of one segment begin: makes a seek one small scan.
///
/// A hint: built while appending or walking, kept beside the segment once that is sealed, never trusted. A seek compares
/// the frame that it starts from with the mark, and starts at the front when they differ.
struct SegmentIndex: Sendable {
    /// Bytes between two marks, at least.
    let spacing: UInt32
    private(set) var marks: [SegmentMark] = []
    /// Every frame below was seen.
    private(set) var covered = UInt32(SegmentHeader.byteCount)

    init(segmentByteCountMax: Int) {
        self.spacing = UInt32(max(1024, segmentByteCountMax / EngineLimits.indexMarksMax))
    }

    /// Nothing is known of the segment yet.
    init(spacing: UInt32) { self.spacing = spacing }

    init(_ file: SegmentIndexFile) {
        self.spacing = file.spacing
        self.marks = file.marks
        self.covered = file.segmentByteCount
    }

    /// Notes a frame that stands where the last one ended that was seen.
    ///
    /// One further back is passed over, so that no part lacks its marks: a walk notes all that lies between.
    mutating func note(_ header: FrameHeader, at offset: UInt32) {
        guard offset <= self.covered else { return }
        self.mark(header, at: offset)
        self.covered = max(self.covered, offset + header.length)
    }

    /// As ``note(_:at:)`` for the frames from `start` to `end`, of which `frames` are all that need marks.
    mutating func note(_ frames: [(header: FrameHeader, position: Position)], from start: UInt32, through end: UInt32) {
        guard start <= self.covered else { return }
        for frame in frames { self.mark(frame.header, at: frame.position.offset) }
        self.covered = max(self.covered, end)
    }

    private mutating func mark(_ header: FrameHeader, at offset: UInt32) {
        if let last = self.marks.last, offset < last.offset + self.spacing { return }
        guard self.marks.count < EngineLimits.indexMarksMax else { return }
        self.marks.append(SegmentMark(header, at: offset))
    }

    mutating func truncate(to offset: UInt32) {
        while let last = self.marks.last, last.offset >= offset { self.marks.removeLast() }
        self.covered = min(self.covered, offset)
    }

    /// The last mark that satisfies `isBelow`, which must hold for a prefix of the frames.
    func floor(_ isBelow: (SegmentMark) -> Bool) -> SegmentMark? {
        var low = 0
        var high = self.marks.count
        while low < high {
            let middle = (low + high) / 2
            if isBelow(self.marks[middle]) { low = middle + 1 } else { high = middle }
        }
        return low == 0 ? nil : self.marks[low - 1]
    }
}
