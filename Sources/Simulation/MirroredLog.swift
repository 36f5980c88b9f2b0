import LogModel
import LogState
import SegmentFormat

/// What a node has placed in its log, frame by frame, seen from outside. Frames are chained by their
/// checksums, so that equal checksums at one place mean equal logs up to there.
struct MirroredLog {
    struct Frame: Hashable {
        var position: Position
        var end: Position
        var checksum: UInt32
        var term: Term
        var kind: FrameKind
        var firstIndex: LogIndex
        var recordCount: UInt32
        var label: AppendLabel?
        /// Of a membership frame.
        var membership: Membership?
    }

    private(set) var frames: [Frame] = []

    /// Takes in a shipped or placed range.
    mutating func append(_ bytes: Bytes, at position: Position) {
        var offset = position.offset == 0 ? SegmentHeader.byteCount : 0
        while offset < bytes.count {
            let rest = bytes[(bytes.startIndex + offset)...]
            guard let header = try? FrameHeader.decode(rest.span.bytes) else { return }
            let start = position.advanced(by: offset)
            offset += Int(header.length)
            let payload = rest.prefix(Int(header.length)).dropFirst(header.headerByteCount)
            self.frames.append(
                Frame(
                    position: start, end: position.advanced(by: offset), checksum: header.headerChecksum,
                    term: header.term, kind: header.kind, firstIndex: header.firstIndex,
                    recordCount: header.recordCount, label: header.label,
                    membership: header.kind == .membership ? try? Membership(decoding: payload) : nil))
        }
    }

    mutating func append(_ frames: [Frame]) { self.frames += frames }

    mutating func truncate(to position: Position) {
        while let last = self.frames.last, last.end > position { self.frames.removeLast() }
    }

    /// - Returns: How many frames end at or before `position`; `nil` when none ends exactly there.
    func count(through position: Position) -> Int? {
        var low = 0
        var high = self.frames.count
        while low < high {
            let middle = (low + high) / 2
            if self.frames[middle].end <= position { low = middle + 1 } else { high = middle }
        }
        return low > 0 && self.frames[low - 1].end == position ? low : nil
    }
}
