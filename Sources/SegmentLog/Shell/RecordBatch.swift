import LogModel
import SegmentFormat

/// Consecutive records that were read together: to be gone through without suspending.
///
/// Each record was checked before, down to its layout. A batch that is kept, or a record of it, keeps the whole batch in
/// memory: up to 256 KiB, or one frame if that is larger.
public struct RecordBatch: Sequence, Sendable {
    /// The index of the first record.
    public let first: LogIndex
    /// Of the records; at least 1.
    public let count: Int
    private let records: FrameRecords

    init(_ records: FrameRecords, first: LogIndex, count: Int) {
        self.records = records
        self.first = first
        self.count = count
    }

    /// The index of the last record.
    public var last: LogIndex { self.first.advanced(by: UInt64(self.count - 1)) }
    public var underestimatedCount: Int { self.count }

    public func makeIterator() -> Iterator { Iterator(self.records) }

    public struct Iterator: IteratorProtocol {
        private var records: FrameRecords
        init(_ records: FrameRecords) { self.records = records }

        public mutating func next() -> IndexedRecord? {
            do throws(FormatError) {
                return try self.records.nextRecord()
            } catch {
                preconditionFailure("a checked batch holds a bad record: \(error)")
            }
        }
    }
}

/// The same records as of a ``LogReader``, as many at a time as were read together: for those who go through millions
/// and do not want to pay for an `await` each.
///
/// ```swift
/// for try await batch in try log.read().batches {
///     for entry in batch { sum += entry.record.value.count }
/// }
/// ```
public struct RecordBatches: AsyncSequence, Sendable {
    public typealias Element = RecordBatch
    public typealias Failure = LogError

    let reader: LogReader

    public func makeAsyncIterator() -> Iterator { Iterator(base: self.reader.makeAsyncIterator()) }

    public struct Iterator: AsyncIteratorProtocol {
        var base: LogReader.Iterator

        public mutating func next() async throws(LogError) -> RecordBatch? {
            try await self.base.nextBatch(isolation: nil)
        }

        public mutating func next(isolation actor: isolated (any Actor)?) async throws(LogError) -> RecordBatch? {
            try await self.base.nextBatch(isolation: actor)
        }
    }
}
