import DiskIO
import LogModel
import SegmentFormat

/// What the headers and lengths of the sealed segments say, without a look at their frames.
///
/// Each header names the length of the segment before it, so a segment is judged by its successor:
///
///     | header 0 ... | header 1: "0 is 4,000 bytes long" ... | header 2: "1 is 3,900 bytes long" ...
struct SegmentSurvey {
    struct Segment {
        var id: SegmentID
        /// `nil` when it is missing or damaged.
        var header: SegmentHeader?
        /// Of the file; `nil` when it is missing.
        var byteCount: Int?
        var fault: FrameDefect?
        /// The disk does not deliver its header.
        var refusal: StorageFailure?
    }

    private(set) var segments: [Segment] = []
    private let files: LogFiles
    private let readings: [SegmentID: HeaderReading]
    private let cluster: ClusterID

    /// - Parameter readings: Headers that need not be read again.
    init(files: LogFiles, readings: [SegmentID: HeaderReading], cluster: ClusterID) {
        self.files = files
        self.readings = readings
        self.cluster = cluster
    }

    /// Looks at the header of one segment more; the next of those before.
    ///
    /// - Throws: ``LogError/foreignDirectory(_:)``, ``LogError/laterFormat(file:version:)``, ``LogError/storage(_:)``.
    mutating func add(_ id: SegmentID, isThere: Bool) throws(LogError) {
        guard isThere else {
            self.segments.append(Segment(id: id))
            return
        }
        let segment = if let reading = self.readings[id] { try self.judged(reading, of: id) } else { try self.read(id) }
        self.segments.append(segment)
    }

    private func read(_ id: SegmentID) throws(LogError) -> Segment {
        let file = try self.files.open(id, .read)
        let reading: HeaderReading
        do throws(DiskError) {
            reading = try HeaderReading(file)
        } catch {
            // A sector that went bad is damage like any other; what else the system refuses says nothing of the log.
            guard let refusal = StorageFailure(ofUnreadable: error) else { throw LogError(error) }
            let byteCount = try disk { () throws(DiskError) in try file.byteCount() }
            return Segment(id: id, byteCount: byteCount, refusal: refusal)
        }
        return try self.judged(reading, of: id)
    }

    private func judged(_ reading: HeaderReading, of id: SegmentID) throws(LogError) -> Segment {
        var segment = Segment(id: id, byteCount: reading.byteCount)
        switch reading.header {
        case .success(let header) where header.cluster != self.cluster:
            throw .foreignDirectory(.cluster(found: header.cluster, expected: self.cluster))
        case .success(let header) where header.segment != id:
            segment.fault = .wrongSegment(expected: id, found: header.segment)
        case .success(let header): segment.header = header
        case .failure(let error):
            // Good bytes that are not understood are no damage, which others would be asked to make good.
            if let later = LogError(laterFormat: .format(error), in: id.fileName) { throw later }
            segment.fault = .format(error)
        }
        return segment
    }

    /// The length that a segment must have; `nil` when its successor cannot say.
    func expectedByteCount(at place: Int) -> Int? {
        guard place + 1 < self.segments.count else { return nil }
        return self.segments[place + 1].header.map { Int($0.previousLength) }
    }

    /// Everything wrong with all segments but the last, of which only presence and header are judged.
    ///
    /// - Parameter lastByteCount: What the last one has at least.
    func damage(lastByteCount: Int) -> [Damage] {
        var damage: [Damage] = []
        for (place, segment) in self.segments.enumerated() {
            let isLast = place == self.segments.count - 1
            let expected = isLast ? lastByteCount : self.expectedByteCount(at: place)
            guard let found = segment.byteCount else {
                damage.append(Damage(segment.id, 0..<(expected ?? 0), .missing))
                continue
            }
            if let refusal = segment.refusal {
                damage.append(Damage(segment.id, 0..<SegmentHeader.byteCount, .unreadable(refusal)))
            }
            if let fault = segment.fault {
                // The frames of another segment are not this one's, good as they may be.
                let isOther = if case .wrongSegment = fault { true } else { false }
                let range = 0..<(isOther ? max(expected ?? found, SegmentHeader.byteCount) : SegmentHeader.byteCount)
                damage.append(Damage(segment.id, range, .fault(FrameFault(fault))))
            }
            if !isLast, let expected, found != expected {
                let range = min(found, expected)..<max(found, expected)
                damage.append(Damage(segment.id, range, .wrongLength(expected: expected, found: found)))
            }
        }
        return damage
    }
}
