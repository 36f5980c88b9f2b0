import SegmentFormat

/// Every bound of the engine, in one place.
package enum EngineLimits {
    /// Smallest and largest `segmentByteCountMax` that users may set.
    package static let segmentByteCounts = (1 << 20)..<(4 << 30)
    /// What tests may go down to.
    package static let segmentByteCountMinForTests = 4096
    package static let openFiles = 1...65_536
    package static let batchWindowMilliseconds: ClosedRange<UInt64> = 1...60_000
    /// Recovery reads this much at a time; a frame that is larger is read alone.
    package static let scanWindowByteCount = 256 << 10
    /// The smallest part of a file that a disk may refuse to deliver.
    package static let sectorByteCount = 512
    /// Seeks read this much at a time.
    package static let seekWindowByteCount = 64 << 10
    /// A reader's read-ahead.
    package static let readWindowByteCount = 256 << 10
    /// Memory that a reader keeps for its next read; what a larger frame needed goes at once.
    package static let recycledByteCountMax = 2 * readWindowByteCount
    /// Truncations that readers are told of exactly.
    package static let rememberedCutsMax = 64
    /// Marks in a segment's sparse index.
    package static let indexMarksMax = FormatLimits.indexMarksMax
    /// Sealed segments of which the index is in memory: at most 3 MiB in all.
    package static let indexesMax = 64
    /// Zeros are written this far ahead of the tail, in writes of this size.
    package static let zeroAheadByteCount = 64 << 10
    /// Frames that wait in memory for the next sync; a frame more may pass it. Further appends wait.
    package static let stagedByteCountMax = 8 << 20
    /// Pages of a mapped segment are made present this far ahead of the tail.
    package static let populateAheadByteCount = 2 << 20
    /// So many at a time.
    package static let populationByteCount = 1 << 20
    /// Appends that wait for a sync, or for room, at a time; one more is refused.
    package static let waitingAppendsMax = 1 << 18
    /// Damaged ranges remembered one by one; with more, each segment has one.
    package static let quarantinedRangesMax = 1024
    /// The scrubber reads this much at a time at most, so that it never holds up anybody.
    package static let scrubSliceByteCount = 256 << 10
    /// Bytes a second that the scrubber reads unless told otherwise.
    package static let scrubBytesPerSecond = 8 << 20
    package static let scrubRetryMilliseconds: UInt64 = 1000
    /// Index files that may be waiting to be written; older ones are made when somebody looks into the segment.
    package static let unindexedSegmentsMax = 64
    /// Age is looked at this often.
    package static let retentionIntervalMilliseconds: UInt64 = 10_000
    /// The scrubber begins a pass this long after it began the one before, at the earliest.
    package static let scrubPassIntervalMilliseconds: UInt64 = 3_600_000
    /// DURABLE reaches the disk at least this often.
    package static let durableSyncIntervalMilliseconds: UInt64 = 1000
}
