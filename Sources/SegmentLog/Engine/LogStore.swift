import DiskIO
import LogModel
import SegmentFormat

/// Whole frames of one segment, as a read gives them.
package struct SegmentRange: Hashable, Sendable {
    /// Of the first byte; offset 0 when the segment's header comes first.
    package var position: Position
    package var bytes: Bytes
    /// Where to read on.
    package var end: Position
    package init(position: Position, bytes: Bytes, end: Position) {
        self.position = position
        self.bytes = bytes
        self.end = end
    }
}

/// A segment as listed by ``LogStore/segments``.
package struct SegmentSummary: Hashable, Sendable {
    package var id: SegmentID
    package var firstIndex: LogIndex
    package var byteCount: Int
}

/// The readers' side of a log: any thread, no lock held while the disk works, nothing the writer waits for.
///
/// Everything read is checked: header and payload checksums and the chain within the range. What it does not know
/// is what may be shown: the caller passes the limit.
package final class LogStore: Sendable {
    let files: LogFiles
    let descriptors: DescriptorCache
    package let cluster: ClusterID
    let segmentByteCountMax: Int
    /// What is known to be damaged; asked before each read.
    let quarantine: Quarantine
    /// Of a node of a cluster.
    private let hasPeers: Bool
    private let layout: Lock<LogLayout>
    private let observer = Lock<(@Sendable (Damage) -> Void)?>(nil)

    init(
        _ files: LogFiles, cluster: ClusterID, segmentByteCountMax: Int, openFilesMax: Int, layout: sending LogLayout,
        quarantine: Quarantine = Quarantine(), hasPeers: Bool = false
    ) {
        self.files = files
        self.cluster = cluster
        self.segmentByteCountMax = segmentByteCountMax
        self.descriptors = DescriptorCache(files, capacity: openFilesMax)
        self.quarantine = quarantine
        self.hasPeers = hasPeers
        self.layout = Lock(layout)
    }

    /// Where the log begins: offset 0 of its first segment.
    package var first: Position { self.layout.withLock { $0.first } }
    /// How far it is written.
    package var written: LogPoint { self.layout.withLock { $0.tail } }
    package var nextIndex: LogIndex { self.layout.withLock { $0.nextIndex } }
    /// The index of the first record that is not trimmed, whether or not it is there yet.
    package var firstIndex: LogIndex { self.layout.withLock { $0.segments[0].firstIndex } }

    package var segments: [SegmentSummary] {
        self.layout.withLock { layout in
            layout.segments.map {
                SegmentSummary(id: $0.id, firstIndex: $0.firstIndex, byteCount: Int($0.byteCount))
            }
        }
    }

    /// Hears once of every damaged range that a reader or the scrubber meets; on their thread, under no lock.
    package var damageFound: (@Sendable (Damage) -> Void)? {
        get { self.observer.withLock { $0 } }
        set { self.observer.withLock { $0 = newValue } }
    }

    /// What the disk refuses to deliver is damaged, where a peer can make it good; else it may deliver it next time.
    func refusal(of range: Range<Int>, in segment: SegmentID, _ error: DiskError) -> LogError {
        guard self.hasPeers, let failure = StorageFailure(ofUnreadable: error) else { return LogError(error) }
        return .damaged(Damage(segment, range, .unreadable(failure)))
    }

    /// Every read that meets damage says so here.
    func refusal(for damage: Damage) -> LogError {
        self.noteDamage(damage)
        return .damaged(damage)
    }

    /// Runs `body` again when a truncation came in between: what was cut meanwhile is not damage.
    ///
    /// - Throws: ``LogError/trimmed(first:)`` instead when a trim removed `segment` meanwhile.
    func undisturbed<Result>(
        of segment: SegmentID, _ body: () throws(LogError) -> Result
    ) throws(LogError) -> Result {
        while true {
            let before = self.withLayout { $0.truncations }
            do throws(LogError) {
                return try body()
            } catch {
                let (truncations, first) = self.withLayout { ($0.truncations, $0.first) }
                if segment < first.segment { throw .trimmed(first: first) }
                if truncations != before { continue }
                if case .damaged(let damage) = error { throw self.refusal(for: damage) }
                throw error
            }
        }
    }

    /// How often a reader found its file open, and how often not.
    package var descriptorCounts: (hits: UInt64, misses: UInt64) { self.descriptors.counts }

    func withLayout<Result: Sendable>(_ body: (inout LogLayout) -> Result) -> Result {
        self.layout.withLock { body(&$0) }
    }

    func segment(_ id: SegmentID) throws(LogError) -> LogLayout.Segment {
        let (segment, first, tail) = self.layout.withLock { ($0.segment(id), $0.first, $0.tail) }
        if let segment { return segment }
        if id < first.segment { throw .trimmed(first: first) }
        throw .beyondTail(tail: tail.position)
    }

    /// The header of a segment, checked.
    package func header(of id: SegmentID) throws(LogError) -> SegmentHeader {
        try self.undisturbed(of: id) { () throws(LogError) in try self.readHeader(of: id) }
    }

    private func readHeader(of id: SegmentID) throws(LogError) -> SegmentHeader {
        _ = try self.segment(id)
        try self.quarantine.check(0..<SegmentHeader.byteCount, of: id)
        let file = try self.descriptors.file(of: id)
        let bytes: [UInt8]
        do throws(DiskError) { bytes = try file.read(at: 0, count: SegmentHeader.byteCount) } catch {
            throw self.refusal(of: 0..<SegmentHeader.byteCount, in: id, error)
        }
        do throws(FormatError) {
            return try SegmentHeader.decode(bytes.span.bytes, of: self.cluster)
        } catch {
            throw .damaged(Damage(id, 0..<SegmentHeader.byteCount, .fault(FrameFault(.format(error)))))
        }
    }

    /// The payload of the checkpoint with which a segment begins.
    package func checkpoint(of id: SegmentID) throws(LogError) -> Bytes {
        let segment = try self.segment(id)
        let start = Position(segment: id, offset: UInt32(SegmentHeader.byteCount))
        let limit = Position(segment: id, offset: segment.byteCount)
        let range = try self.read(from: start, through: limit, byteCountMax: 1)
        var frames = FrameSequence(range)
        guard let frame = frames.next(), frame.header.kind == .checkpoint else {
            throw self.refusal(for: Damage(id, Int(start.offset)..<Int(segment.byteCount), .lost))
        }
        return frame.payload
    }

    /// What comes next at a position: the end of a frame, or offset 0 or 64 of a segment (the end of the one before).
    ///
    /// Cost: reads and checks the segment from its start.
    ///
    /// - Throws: ``LogError/noFrame(at:)`` when no frame ends there; ``LogError/damaged(_:)`` when the way there is.
    package func chain(at position: Position) throws(LogError) -> FrameChain {
        try self.undisturbed(of: position.segment) { () throws(LogError) in try self.walkChain(to: position) }
    }

    /// As ``chain(at:)``; damage may be what a truncation did meanwhile.
    func walkChain(to position: Position) throws(LogError) -> FrameChain {
        let segment = try self.segment(position.segment)
        let before = SegmentScan.chain(before: try self.readHeader(of: position.segment))
        if Int(position.offset) <= SegmentHeader.byteCount {
            guard position.segment > self.first.segment else { return before }
            return try self.walkChain(to: before.tail)
        }
        guard position.offset <= segment.byteCount else { throw .beyondTail(tail: self.written.position) }
        try self.quarantine.check(0..<Int(position.offset), of: position.segment)
        let file = try self.descriptors.file(of: position.segment)
        var scan = SegmentScan(file, end: Int(segment.byteCount), chain: before, index: segment.index)
        do throws(DiskError) {
            try scan.run(through: Int(position.offset))
        } catch {
            throw LogError(error)
        }
        if scan.chain.tail == position { return scan.chain }
        guard scan.chain.tail < position else { throw .noFrame(at: position) }
        let range = Int(scan.chain.tail.offset)..<Int(segment.byteCount)
        throw .damaged(Damage(position.segment, range, scan.defect.map { .fault(FrameFault($0)) } ?? .lost))
    }
}
