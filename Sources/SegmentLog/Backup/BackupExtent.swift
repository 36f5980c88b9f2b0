import LogModel
import SegmentFormat

/// How far a backup's files go: what of each segment is there, and what comes next behind the last frame.
struct BackupExtent: Hashable {
    /// `nil` while there is nothing.
    private(set) var chain: FrameChain?
    private(set) var segments: [BackupManifest.Segment]

    init(_ manifest: BackupManifest?) {
        self.chain = manifest?.end
        self.segments = manifest?.segments ?? []
    }

    var byteCount: Int { self.segments.reduce(0) { $0 + Int($1.byteCount) } }

    mutating func began(_ header: SegmentHeader) {
        self.segments.append(
            .init(
                id: header.segment, firstIndex: header.firstIndex, byteCount: UInt32(SegmentHeader.byteCount),
                checksum: header.previousChecksum))
    }

    mutating func advanced(to chain: FrameChain) {
        self.chain = chain
        self.segments[self.segments.count - 1].byteCount = chain.tail.offset
        self.segments[self.segments.count - 1].checksum = chain.previousChecksum
    }

    /// A header alone is no copy of anything: the end is where it was before.
    ///
    /// - Parameter before: The chain that the header was accepted with.
    mutating func gaveUpHeader(before: FrameChain?) {
        guard self.chain?.isAtSegmentStart == true else { return }
        self.segments.removeLast()
        self.chain = self.segments.isEmpty ? nil : before
    }
}
