import LogModel

/// The log from one place on, for ever: every record once, in order, whatever happens to nodes and connections.
///
/// ```swift
/// for try await record in client.tail(from: .index(receipt.first)) {
///     print(record.index, String(decoding: record.record.value, as: UTF8.self))
/// }
/// ```
///
/// Any node serves it, with what that node knows to be committed; no leader is needed. When the node stops, restarts, falls
/// behind the others or is cut off, another one goes on with the record that comes next. A reader that is slow holds the
/// server back: about a mebibyte of records waits here, and not more.
///
/// The sequence ends when its task is cancelled, and not before. Each iterator reads on its own.
///
/// - Throws: ``ClientError/trimmed(first:)`` when what comes next is not kept any more;
///   ``ClientError/unreachable(_:)`` when no node answers at the beginning, for as long as the client tries anything. Once a
///   node has answered, the tail goes on trying until one does again.
public struct RecordTail: AsyncSequence, Sendable {
    public typealias Element = IndexedRecord
    public typealias Failure = ClientError

    /// Where it begins.
    enum Origin: Hashable, Sendable {
        case start(HoldfastClient.Start)
        /// At a durable cursor; where there is none of this name, at `start`.
        case cursor(CursorName, otherwise: HoldfastClient.Start)
    }

    let client: HoldfastClient
    let origin: Origin
    let retried: (@Sendable (String) -> Void)?

    /// The same records, as many at a time as are there: at least one. For whoever handles many at once.
    public var batches: Batches { Batches(tail: self) }

    public func makeAsyncIterator() -> Iterator { Iterator(reader: self.reader) }

    var reader: TailReader { TailReader(self.client, from: self.origin, retried: self.retried) }

    public struct Iterator: AsyncIteratorProtocol {
        let reader: TailReader
        private var waiting: ArraySlice<IndexedRecord> = []

        init(reader: TailReader) { self.reader = reader }

        public mutating func next(
            isolation actor: isolated (any Actor)? = #isolation
        ) async throws(ClientError) -> IndexedRecord? {
            // What has arrived is not handed to a task that was told to end.
            guard !Task.isCancelled else { return nil }
            if let record = self.waiting.popFirst() { return record }
            guard let records = try await self.reader.next() else { return nil }
            self.waiting = records[...]
            return self.waiting.popFirst()
        }
    }

    public struct Batches: AsyncSequence, Sendable {
        public typealias Element = [IndexedRecord]
        public typealias Failure = ClientError

        let tail: RecordTail

        public func makeAsyncIterator() -> Iterator { Iterator(reader: self.tail.reader) }

        public struct Iterator: AsyncIteratorProtocol {
            let reader: TailReader

            public mutating func next(
                isolation actor: isolated (any Actor)? = #isolation
            ) async throws(ClientError) -> [IndexedRecord]? {
                try await self.reader.next()
            }
        }
    }
}

extension HoldfastClient {
    /// Follows the log from a place on.
    ///
    /// - Parameters:
    ///   - start: `tail` begins behind what the asked node knows to be committed: nothing that is appended from now on is
    ///     missed. `first` is the first record that is kept.
    ///   - retried: Called before each further attempt to read on, with why.
    public func tail(from start: Start, retried: (@Sendable (String) -> Void)? = nil) -> RecordTail {
        RecordTail(client: self, origin: .start(start), retried: retried)
    }

    /// Follows the log from a durable cursor on, which stays where it is: see ``setCursor(_:to:)``.
    ///
    /// - Parameter start: Where to begin when there is no cursor of this name.
    public func tail(
        from cursor: CursorName, otherwise start: Start = .first, retried: (@Sendable (String) -> Void)? = nil
    ) -> RecordTail {
        RecordTail(client: self, origin: .cursor(cursor, otherwise: start), retried: retried)
    }
}
