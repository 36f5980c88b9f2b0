/// Bytes shared without copying: a slice of an array that nobody changes any more.
public typealias Bytes = ArraySlice<UInt8>

/// What users store: a value, and optionally a key.
public struct Record: Hashable, Sendable {
    public var key: Bytes
    public var value: Bytes
    /// Says that `key` is deleted; carried, never interpreted.
    public var isTombstone: Bool
    /// Carried, never interpreted.
    public var timeToLiveMilliseconds: UInt64?

    public init(
        key: Bytes = [], value: Bytes, isTombstone: Bool = false, timeToLiveMilliseconds: UInt64? = nil
    ) {
        self.key = key
        self.value = value
        self.isTombstone = isTombstone
        self.timeToLiveMilliseconds = timeToLiveMilliseconds
    }

    public init(_ value: String) { self.init(value: ArraySlice(value.utf8)) }
}

/// A record as it stands in the log.
public struct IndexedRecord: Hashable, Sendable {
    public var index: LogIndex
    /// Of the frame that holds it.
    public var position: Position
    public var term: Term
    public var timestamp: Timestamp
    public var record: Record

    public init(index: LogIndex, position: Position, term: Term, timestamp: Timestamp, record: Record) {
        self.index = index
        self.position = position
        self.term = term
        self.timestamp = timestamp
        self.record = record
    }
}

/// A client's own numbering of its appends, so that a retry is never stored twice.
///
/// The next sequence is the last one plus 1; an unknown producer starts at 1.
public struct ProducerSequence: Hashable, Sendable {
    public var producer: UInt64
    public var sequence: UInt64
    public init(producer: UInt64, sequence: UInt64) {
        self.producer = producer
        self.sequence = sequence
    }
}

/// When an append returns, and so what an acknowledgement says.
public enum FsyncPolicy: Hashable, Sendable {
    /// After a sync, shared by all callers that arrived meanwhile.
    case always
    /// Synced at most `windowMilliseconds` after the write.
    case batch(windowMilliseconds: UInt64)
    /// Synced when the kernel likes.
    case os
}

/// What an acknowledgement vouches for.
public enum Durability: String, Hashable, Sendable {
    /// A quorum has it synced to disk.
    case persisted
    /// A quorum has received it; none need have synced it.
    case replicated
}
