import DiskIO
import LogModel
import SegmentFormat

/// How much of a log is kept, apart from explicit trims.
///
/// Only whole sealed segments that are synced go, oldest first, and never the active one; so a log may hold up to a
/// segment more than what is asked for.
public struct RetentionPolicy: Hashable, Sendable {
    /// Bytes that all segments together may take; `nil` for no limit.
    public var byteCountMax: Int?
    /// How old the newest record of a segment may be; `nil` for no limit.
    public var ageMax: Duration?

    public static let keepsEverything = RetentionPolicy()

    public init(byteCountMax: Int? = nil, ageMax: Duration? = nil) {
        self.byteCountMax = byteCountMax
        self.ageMax = ageMax
    }

    public var isUnlimited: Bool { self.byteCountMax == nil && self.ageMax == nil }

    /// Decides what is to be trimmed. Pure, but for `newest`.
    ///
    /// - Parameters:
    ///   - segments: Ascending; the last one is active.
    ///   - durable: Segments that do not lie wholly below it stay.
    ///   - newest: The time of a segment's newest record, `nil` when it cannot be read. Asked for the oldest segments
    ///     only, each at most once.
    /// - Returns: Where to trim before; `nil` when all stays.
    /// - Complexity: O(segments); one call of `newest` for each segment that goes by age, and one more.
    package func trimPosition(
        segments: [SegmentSummary], durable: Position, now: Timestamp, newest: (SegmentID) -> Timestamp?
    ) -> Position? {
        let candidates = segments.dropLast().prefix { $0.id < durable.segment }
        var byteCount = segments.reduce(0) { $0 + $1.byteCount }
        var keptFrom: SegmentID?
        for segment in candidates {
            let isTooMuch = self.byteCountMax.map { byteCount > $0 } ?? false
            if !isTooMuch {
                guard let ageMax = self.ageMax else { break }
                byteCount -= segment.byteCount
                // Of one whose age cannot be read, a later one tells: times never go back.
                guard let time = newest(segment.id) else { continue }
                guard Self.age(of: time, now: now) > ageMax else { break }
            } else {
                byteCount -= segment.byteCount
            }
            keptFrom = segment.id.next
        }
        return keptFrom.map { Position(segment: $0, offset: 0) }
    }

    /// A clock that was set back makes nothing older.
    private static func age(of time: Timestamp, now: Timestamp) -> Duration {
        .nanoseconds(Int64(clamping: now > time ? now.nanoseconds - time.nanoseconds : 0))
    }
}

extension LogStore {
    /// The time of a sealed segment's newest record, or of the checkpoint behind it, whichever is later: times never
    /// go back, and the next segment's first frame was written when this one was full.
    ///
    /// - Throws: ``LogError/beyondTail(tail:)`` for the active segment, ``LogError/trimmed(first:)``,
    ///   ``LogError/damaged(_:)``, ``LogError/storage(_:)``.
    /// - Complexity: One small read.
    package func newestTimestamp(of id: SegmentID) throws(LogError) -> Timestamp {
        _ = try self.segment(id)
        let next = try self.segment(id.next).id
        let start = SegmentHeader.byteCount
        try self.quarantine.check(start..<start + FrameHeader.byteCount, of: next)
        let file = try self.descriptors.file(of: next)
        let bytes = try disk { () throws(DiskError) in
            try file.read(at: start, count: FrameHeader.producerByteCount)
        }
        guard let header = try? FrameHeader.decode(bytes.span.bytes), header.kind == .checkpoint else {
            throw .damaged(Damage(next, start..<start + FrameHeader.byteCount, .lost))
        }
        return header.timestamp
    }
}
