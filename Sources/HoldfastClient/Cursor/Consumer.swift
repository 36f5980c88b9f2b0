import LogModel
import ServiceLifecycle

/// Handles the records of the log one after the other, and remembers in a durable cursor how far it has come.
///
/// ```swift
/// let consumer = client.makeConsumer(of: billing) { record in
///     try await charge(record)
/// }
/// try await consumer.run()
/// ```
///
/// The position is stored after a record was handled, and never before. So a record is handled at least once: after a crash a
/// run begins with the first one whose handling was not stored, which is at most ``ConsumerOptions/recordsMax`` records
/// back. Whoever keeps each record's effect and its index in one place, in one transaction, handles it exactly once, by
/// passing over the indexes that are kept already.
///
/// Rule: one run of a cursor at a time. Why: of two positions the one that is stored later stays, also when it is the lower.
public struct Consumer: Service {
    let client: HoldfastClient
    let cursor: CursorName
    let options: ConsumerOptions
    let handle: @Sendable (IndexedRecord) async throws -> Void

    /// Runs until the task is cancelled or its service group is shut down, over failovers and restarts of nodes.
    ///
    /// A graceful shutdown lets the record in hand be handled; either end stores the position. A position that cannot be
    /// stored is tried again for as long as it takes, and no further record is handled meanwhile.
    ///
    /// - Throws: What the handler throws: that record is handled again by the next run, and those before it are not;
    ///   ``ClientError/trimmed(first:)`` when what comes next is not kept any more; ``ClientError/unreachable(_:)`` when the
    ///   cluster cannot be reached at the beginning.
    public func run() async throws {
        let (reader, first) = try await self.begin()
        var progress = CursorProgress(from: first, self.options)
        do {
            try await self.consume(reader, &progress)
        } catch {
            try? await self.storeLast(progress)
            throw error
        }
        try await self.storeLast(progress)
    }

    /// Finds the place, and makes the cursor when there is none: what is trimmed, or where the tail is, may change before the
    /// first record is handled.
    private func begin() async throws(ClientError) -> (reader: TailReader, first: LogIndex) {
        let kept = try await self.client.cursor(self.cursor)
        let reader = self.client.tail(from: kept.map { .index($0.index) } ?? self.options.start).reader
        let first = try await reader.start()
        if kept?.holdsTrims != self.options.holdsTrims { try await self.store(first) }
        return (reader, first)
    }

    private func consume(_ reader: TailReader, _ progress: inout CursorProgress) async throws {
        while true {
            let deadline = progress.deadline
            // Only the wait is cut short by a shutdown, never the handler.
            let records = try await cancelWhenGracefulShutdown { try await reader.next(before: deadline) }
            guard let records else { return }
            for record in records {
                guard !Task.isCancelled, !Task.isShuttingDownGracefully else { return }
                try await self.handle(record)
                progress.handled(record.index, at: .now)
                try await self.storeIfDue(&progress)
            }
            try await self.storeIfDue(&progress)
        }
    }

    private func storeIfDue(_ progress: inout CursorProgress) async throws(ClientError) {
        guard progress.isDue(at: .now) else { return }
        while true {
            do throws(ClientError) {
                try await self.store(progress.next)
                return progress.stored()
            } catch {
                // The same position may be stored twice.
                guard error.isWorthRetrying || error.applied == .unknown else { throw error }
                // The end of the run stores it.
                if Task.isCancelled || Task.isShuttingDownGracefully { return }
            }
        }
    }

    /// In a task of its own, which is not cancelled with this one.
    private func storeLast(_ progress: CursorProgress) async throws {
        guard !progress.isStored else { return }
        try await Task { try await self.store(progress.next) }.value
    }

    private func store(_ next: LogIndex) async throws(ClientError) {
        try await self.client.setCursor(self.cursor, to: Cursor(index: next, holdsTrims: self.options.holdsTrims))
    }
}

extension HoldfastClient {
    /// A consumer that begins where its cursor stands; ``Consumer/run()`` it, or put it into a `ServiceGroup`.
    ///
    /// - Parameter handle: Called for one record after the other, in their order.
    public func makeConsumer(
        of cursor: CursorName, _ options: ConsumerOptions = ConsumerOptions(),
        handle: @escaping @Sendable (IndexedRecord) async throws -> Void
    ) -> Consumer {
        options.check()
        return Consumer(client: self, cursor: cursor, options: options, handle: handle)
    }
}
