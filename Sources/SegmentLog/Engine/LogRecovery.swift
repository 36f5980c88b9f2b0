import DiskIO
import LogModel
import LogState
import SegmentFormat

/// Finds out how far a log reaches, in three steps:
///
/// 1. Segments below the one that DURABLE names were finalized before: their headers must chain, and their
///    lengths be what their successors say. Their frames are checked when they are read.
/// 2. That segment and all behind it are read frame by frame, up to the first that does not fit. After a clean stop
///    the last frame's header alone proves the tail, see ``takeUp(_:)``.
/// 3. A stop below DURABLE is damage. A stop at or above it is a tail that was never synced.
///
/// Only reads; what to cut is left to the caller. At most one window of a file is in memory.
struct LogRecovery {
    let files: LogFiles
    /// Headers that were read already, and stand so in the files.
    let readings: [SegmentID: HeaderReading]
    let cluster: ClusterID
    let segmentByteCountMax: Int
    /// What DURABLE says; `nil` when it is unreadable, and then nothing below a stop may be called damage.
    let record: DurableRecord?
    /// Whether the log's own state is wanted, as a log of its own needs it.
    let followsState: Bool
    /// Goes on behind damage where that can be done; see ``RecoveryMode/quarantineDamage``.
    let passesDamage: Bool
    /// Nothing from here on is looked at.
    let limit: Position?

    var layout: [LogLayout.Segment] = []
    var chain: FrameChain
    /// Everything wrong with what was once synced, in order.
    private(set) var damage: [Damage] = []
    /// The damage that keeps the end of the log from being known.
    private(set) var blocking: Damage?
    private(set) var stop: FrameDefect?
    var scanned = RecoveryReport.Extent()
    /// Of `scanned`, what lies above DURABLE: kept although it is not known to have been synced.
    private(set) var keptAbove = RecoveryReport.Extent()
    /// Bytes behind the good part of the last good segment that are not zero, and frames that can be told there.
    private(set) var loose = RecoveryReport.Extent()
    private var lastFileByteCount = 0
    /// Good segments of which the file is longer than the log: not finalized before the crash.
    private(set) var unfinished: [(segment: SegmentID, byteCount: Int)] = []
    /// The tail was taken up as DURABLE says: there is nothing that could be unsynced.
    var wasTakenUp = false
    /// The state at the tail; `nil` unless followed, and when a frame did not fit it.
    var state: LogState?

    init(
        files: LogFiles, readings: [SegmentID: HeaderReading] = [:], cluster: ClusterID, segmentByteCountMax: Int,
        record: DurableRecord?, followsState: Bool, passesDamage: Bool = false, limit: Position? = nil
    ) {
        self.files = files
        self.readings = readings
        self.cluster = cluster
        self.segmentByteCountMax = segmentByteCountMax
        self.record = record
        self.followsState = followsState
        self.passesDamage = passesDamage
        self.limit = limit
        self.chain = FrameChain(empty: cluster)
    }

    private var durable: Position? { self.record?.durable.position }

    /// - Parameter segments: Files from the first segment on, ascending; gaps are for this to judge.
    mutating func run(_ segments: [SegmentID], first: SegmentID) throws(LogError) {
        let scanFrom = try self.survey(segments, first: first)
        guard let scanFrom else { return }
        if segments.last == scanFrom, self.damage.isEmpty, try self.takeUp(scanFrom) { return }
        var expected = scanFrom
        for segment in segments where segment >= scanFrom {
            guard segment == expected, try self.scan(segment, isFirst: segment == scanFrom) else { return }
            expected = segment.next
        }
    }

    /// Step 1.
    ///
    /// - Returns: Where to scan from; `nil` when damage ends the log before.
    private mutating func survey(_ segments: [SegmentID], first: SegmentID) throws(LogError) -> SegmentID? {
        let last = max(self.durable?.segment ?? segments.last ?? first, first)
        var survey = SegmentSurvey(files: self.files, readings: self.readings, cluster: self.cluster)
        var present = segments[...]
        for number in first.rawValue...last.rawValue {
            let isThere = present.first == SegmentID(number)
            if isThere { present.removeFirst() }
            try survey.add(SegmentID(number), isThere: isThere)
        }
        let scanFrom = self.durable == nil ? self.lastBegun(Self.unfinished(survey) ?? last, first: first) : last
        let durableByteCount = self.durable.map { $0.segment == last ? Int($0.offset) : 0 } ?? 0
        let damage = survey.damage(lastByteCount: durableByteCount).filter { $0.segment <= scanFrom }
            .filter { $0.segment < scanFrom || $0.range.lowerBound == 0 }
        self.damage = damage
        self.blocking = self.passesDamage ? damage.first { $0.segment == scanFrom } : damage.first
        guard self.blocking == nil else { return nil }
        for (place, segment) in survey.segments.enumerated() where segment.id < scanFrom {
            self.layout.append(
                LogLayout.Segment(
                    id: segment.id, firstIndex: try self.firstIndex(of: segment),
                    byteCount: UInt32(clamping: survey.expectedByteCount(at: place) ?? segment.byteCount ?? 0),
                    index: self.newIndex
                ))
        }
        return scanFrom
    }

    var newIndex: SegmentIndex { SegmentIndex(segmentByteCountMax: self.segmentByteCountMax) }

    /// Without DURABLE: the lowest of the last segments that are longer than their successors say; they were full and not
    /// finalized yet, and are scanned as well.
    private static func unfinished(_ survey: SegmentSurvey) -> SegmentID? {
        var place = survey.segments.count - 2
        var lowest: SegmentID?
        while place >= 0, let expected = survey.expectedByteCount(at: place),
            let found = survey.segments[place].byteCount, found > expected
        {
            lowest = survey.segments[place].id
            place -= 1
        }
        return lowest
    }

    /// Without DURABLE: the last segment that begins with a whole frame. One behind it had not begun yet, or is damaged;
    /// either way the log goes on no further than to the end of this one.
    private func lastBegun(_ last: SegmentID, first: SegmentID) -> SegmentID {
        var segment = last
        while segment > first, !self.files.hasBegun(segment) { segment = SegmentID(segment.rawValue - 1) }
        return segment
    }

    /// The first index of a sealed segment, also when its header is lost: then by reading the one before.
    private func firstIndex(of segment: SegmentSurvey.Segment) throws(LogError) -> LogIndex {
        if let header = segment.header { return header.firstIndex }
        guard let before = self.layout.last else { return .first }
        guard !self.damage.contains(where: { $0.segment == before.id && $0.range.lowerBound == 0 }) else {
            return before.firstIndex
        }
        let file = try self.files.open(before.id, .read)
        do throws(DiskError) {
            let bytes = try file.read(at: 0, count: SegmentHeader.byteCount)
            guard let header = try? SegmentHeader.decode(bytes.span.bytes) else { return before.firstIndex }
            var scan = SegmentScan(
                file, end: Int(before.byteCount), chain: SegmentScan.chain(before: header), index: self.newIndex,
                passesBadPayloadsBelow: Int(before.byteCount))
            try scan.run()
            return scan.chain.nextIndex
        } catch {
            guard self.passesDamage, StorageFailure(ofUnreadable: error) != nil else { throw LogError(error) }
            return before.firstIndex
        }
    }

    /// Step 2 for one segment; the first one trusts its header, the others must follow what was read before.
    private mutating func scan(_ segment: SegmentID, isFirst: Bool) throws(LogError) -> Bool {
        let file = try self.files.open(segment, .read)
        let fileByteCount = try disk { () throws(DiskError) in try file.byteCount() }
        let length = self.limit?.segment == segment ? min(fileByteCount, Int(self.limit?.offset ?? 0)) : fileByteCount
        let before = isFirst ? SegmentScan.chain(before: try self.header(of: segment, file)) : self.chain
        let mayPass = self.passesDamage && self.durable?.segment == segment
        var scan = SegmentScan(
            file, end: length, chain: before, index: self.newIndex,
            tracker: self.followsState ? StateTracker() : nil,
            passesBadPayloadsBelow: mayPass ? Int(self.durable?.offset ?? 0) : 0,
            countsFrom: self.durable?.segment == segment ? Int(self.durable?.offset ?? 0) : 0
        )
        var endOfNonZero = 0
        do throws(DiskError) {
            try scan.run()
            endOfNonZero = try scan.endOfNonZero()
        } catch {
            guard self.passesDamage, let failure = StorageFailure(ofUnreadable: error) else { throw LogError(error) }
            let good = scan.frameCount == 0 || scan.chain.isAtSegmentStart ? 0 : scan.goodByteCount
            throw .damaged(Damage(segment, good..<max(length, good), .unreadable(failure)))
        }
        // Good bytes that are not understood are nobody's tail, to be cut.
        if let defect = scan.defect, let later = LogError(laterFormat: defect, in: segment.fileName) { throw later }
        self.count(scan, of: segment)
        if scan.frameCount == 0 || scan.chain.isAtSegmentStart {
            // Not even a checkpoint: the segment had not begun, or does not belong to where the one before stops.
            self.stop = self.stop ?? scan.defect
            if isFirst { self.judge(segment, stopAt: 0, scan.defect) }
            return false
        }
        if let last = self.layout.last, !isFirst, self.lastFileByteCount > Int(last.byteCount) {
            self.unfinished.append((last.id, Int(last.byteCount)))
        }
        self.damage += scan.badPayloads.map { Damage(segment, $0.range, .fault(FrameFault($0.defect))) }
        self.stop = scan.defect
        self.chain = scan.chain
        self.state = scan.tracker?.state
        self.lastFileByteCount = length
        let isLimited = length < fileByteCount
        self.loose = RecoveryReport.Extent(
            byteCount: (isLimited ? fileByteCount : endOfNonZero) - scan.goodByteCount)
        if !isLimited, self.loose.byteCount > 0 {
            self.loose.frameCount = try LooseFrames.count(in: file, from: scan.goodByteCount, end: endOfNonZero)
        }
        self.layout.append(
            LogLayout.Segment(
                id: segment, firstIndex: before.nextIndex, byteCount: scan.chain.tail.offset, index: scan.index))
        return !isFirst || self.judge(segment, stopAt: scan.goodByteCount, scan.defect)
    }

    /// Not a single frame is whole where the log ought to begin.
    var isEmpty: Bool { self.chain.isEmpty || self.chain.isAtSegmentStart }

    /// What lies behind the tail, as a range of which nobody knows whether it was synced: without DURABLE.
    ///
    /// - Parameter segments: As given to ``run(_:first:)``.
    func unknownTail(_ segments: [SegmentID]) -> Damage? {
        let tail = self.chain.tail
        guard !self.layout.isEmpty, self.loose.byteCount > 0 || segments.contains(where: { $0 > tail.segment }) else {
            return nil
        }
        let range = Int(tail.offset)..<Int(tail.offset) + self.loose.byteCount
        return Damage(tail.segment, range, self.stop.map { .fault(FrameFault($0)) } ?? .lost)
    }

    func header(of segment: SegmentID, _ file: any File) throws(LogError) -> SegmentHeader {
        let bytes: [UInt8]
        do throws(DiskError) { bytes = try file.read(at: 0, count: SegmentHeader.byteCount) } catch {
            guard self.passesDamage, let failure = StorageFailure(ofUnreadable: error) else { throw LogError(error) }
            throw .damaged(Damage(segment, 0..<SegmentHeader.byteCount, .unreadable(failure)))
        }
        do throws(FormatError) {
            return try SegmentHeader.decode(bytes.span.bytes, of: self.cluster)
        } catch {
            throw LogError(header: .format(error), of: segment)
        }
    }

    private mutating func count(_ scan: SegmentScan, of segment: SegmentID) {
        self.scanned.frameCount += scan.frameCount
        self.scanned.byteCount += scan.goodByteCount
        guard let durable = self.durable, segment >= durable.segment else { return }
        let below = segment == durable.segment ? Int(durable.offset) : 0
        self.keptAbove.byteCount += max(0, scan.goodByteCount - below)
        self.keptAbove.frameCount += scan.laterFrameCount
    }

    /// Step 3.
    ///
    /// - Returns: Whether the stop is one of a tail.
    @discardableResult
    private mutating func judge(_ segment: SegmentID, stopAt offset: Int, _ defect: FrameDefect?) -> Bool {
        guard let durable = self.durable, durable.segment == segment, offset < Int(durable.offset) else { return true }
        let kind: Damage.Kind = defect.map { .fault(FrameFault($0)) } ?? .lost
        let damage = Damage(segment, offset..<Int(durable.offset), kind)
        self.damage.append(damage)
        self.blocking = damage
        return false
    }
}
