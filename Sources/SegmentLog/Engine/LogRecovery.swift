import DiskIO
import LogModel
import SegmentFormat

/// Finds out how far a log reaches, in three steps:
///
/// 1. Segments below the one that DURABLE names were finalized before: their headers must chain, and their
///    lengths be what their successors say. Their frames are checked when they are read.
/// 2. That segment and all behind it are read frame by frame, up to the first that does not fit.
/// 3. A stop below DURABLE is damage. A stop at or above it is a tail that was never synced.
///
/// Only reads; what to cut is left to the caller. At most one window of a file is in memory.
struct LogRecovery {
    let files: LogFiles
    let cluster: ClusterID
    let segmentByteCountMax: Int
    /// Nothing below may be missing; `nil` when DURABLE is unreadable.
    let durable: Position?

    private(set) var layout: [LogLayout.Segment] = []
    private(set) var chain: FrameChain
    private(set) var damage: Damage?
    private(set) var stop: FrameDefect?
    private(set) var scannedFrameCount = 0
    private(set) var scannedByteCount = 0
    /// Bytes behind the good part of the last good segment that are not zero.
    private(set) var looseByteCount = 0
    /// The file of the last good segment is longer or shorter than the log there.
    private(set) var lastFileByteCount = 0
    /// Good segments of which the file is longer than the log: not finalized before the crash.
    private(set) var unfinished: [(segment: SegmentID, byteCount: Int)] = []

    init(files: LogFiles, cluster: ClusterID, segmentByteCountMax: Int, durable: Position?) {
        self.files = files
        self.cluster = cluster
        self.segmentByteCountMax = segmentByteCountMax
        self.durable = durable
        self.chain = FrameChain(empty: cluster)
    }

    /// - Parameter segments: Files from the first segment on, ascending; gaps are for this to judge.
    mutating func run(_ segments: [SegmentID], first: SegmentID) throws(LogError) {
        let scanFrom = self.durable?.segment ?? segments.last ?? first
        guard segments.first == first else {
            self.damage = Damage(first, 0..<0, .missing)
            return
        }
        var expected = first
        for segment in segments {
            guard segment == expected else {
                if segment <= scanFrom { self.damage = Damage(expected, 0..<0, .missing) }
                break
            }
            let goesOn =
                segment < scanFrom
                ? try self.checkSealed(segment) : try self.scan(segment, isFirst: segment == scanFrom)
            guard goesOn else { return }
            expected = segment.next
        }
        if expected <= scanFrom, self.damage == nil { self.damage = Damage(expected, 0..<0, .missing) }
    }

    /// Step 1 for one segment: its header against the length of the file before it.
    private mutating func checkSealed(_ segment: SegmentID) throws(LogError) -> Bool {
        let file = try self.files.open(segment, .read)
        guard let header = try self.header(of: segment, file) else { return false }
        let length = try disk { () throws(DiskError) in try file.byteCount() }
        self.accept(header, byteCount: length)
        return true
    }

    /// Takes over a sealed segment, or the start of the first one that is scanned.
    private mutating func accept(_ header: SegmentHeader, byteCount: Int) {
        self.layout.append(
            LogLayout.Segment(
                id: header.segment, firstIndex: header.firstIndex, byteCount: UInt32(clamping: byteCount),
                index: SegmentIndex(segmentByteCountMax: self.segmentByteCountMax)
            ))
    }

    /// A header that continues the segments before; `nil` when it is damaged, which it then says.
    private mutating func header(of segment: SegmentID, _ file: any File) throws(LogError) -> SegmentHeader? {
        let bytes = try disk { () throws(DiskError) in try file.read(at: 0, count: SegmentHeader.byteCount) }
        let whole = 0..<SegmentHeader.byteCount
        let header: SegmentHeader
        do throws(FormatError) {
            header = try SegmentHeader.decode(bytes.span.bytes, of: self.cluster)
        } catch {
            if case .foreignCluster(let found, let expected) = error {
                throw .foreignDirectory(.cluster(found: found, expected: expected))
            }
            self.damage = Damage(segment, whole, .fault(FrameFault(.format(error))))
            return nil
        }
        guard header.segment == segment else {
            let defect = FrameDefect.wrongSegment(expected: segment, found: header.segment)
            self.damage = Damage(segment, whole, .fault(FrameFault(defect)))
            return nil
        }
        if let before = self.layout.last {
            let expected = Int(header.previousLength)
            let found = Int(before.byteCount)
            guard found == expected else {
                let range = min(found, expected)..<max(found, expected)
                self.damage = Damage(before.id, range, .wrongLength(expected: expected, found: found))
                return nil
            }
        }
        return header
    }

    /// Step 2 for one segment; the first one trusts its header, the others must follow what was read before.
    private mutating func scan(_ segment: SegmentID, isFirst: Bool) throws(LogError) -> Bool {
        let file = try self.files.open(segment, .read)
        let length = try disk { () throws(DiskError) in try file.byteCount() }
        var before = self.chain
        if isFirst {
            guard let header = try self.header(of: segment, file) else { return false }
            before = SegmentScan.chain(before: header)
        }
        var scan = SegmentScan(
            file, end: length, chain: before, index: SegmentIndex(segmentByteCountMax: self.segmentByteCountMax))
        var endOfNonZero = 0
        do throws(DiskError) {
            try scan.run()
            endOfNonZero = try scan.endOfNonZero()
        } catch {
            throw LogError(error)
        }
        self.scannedFrameCount += scan.frameCount
        self.scannedByteCount += scan.goodByteCount
        if scan.frameCount == 0 || scan.chain.isAtSegmentStart {
            // Not even a checkpoint: the segment had not begun.
            self.stop = scan.defect
            if isFirst { self.judge(segment, stopAt: 0, scan.defect) }
            return false
        }
        if let last = self.layout.last, !isFirst, self.lastFileByteCount > Int(last.byteCount) {
            self.unfinished.append((last.id, Int(last.byteCount)))
        }
        self.stop = scan.defect
        self.chain = scan.chain
        self.lastFileByteCount = length
        self.looseByteCount = endOfNonZero - scan.goodByteCount
        self.layout.append(
            LogLayout.Segment(
                id: segment, firstIndex: before.nextIndex, byteCount: scan.chain.tail.offset, index: scan.index))
        if isFirst { self.judge(segment, stopAt: scan.goodByteCount, scan.defect) }
        return self.damage == nil
    }

    /// Step 3.
    private mutating func judge(_ segment: SegmentID, stopAt offset: Int, _ defect: FrameDefect?) {
        guard let durable = self.durable, durable.segment == segment, offset < Int(durable.offset) else { return }
        self.damage = Damage(
            segment, offset..<Int(durable.offset), defect.map { .fault(FrameFault($0)) } ?? .lost)
    }
}
