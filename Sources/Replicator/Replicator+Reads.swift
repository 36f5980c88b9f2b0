import LogModel
import LogState
import NIOCore
import SegmentLog

/// What is committed, as far as this node knows or a quorum confirms.
extension Replicator {
    /// Reads committed records.
    ///
    /// - Parameters:
    ///   - limit: The most records.
    ///   - byteCountMax: No further record is begun once keys and values add up to this.
    /// - Throws: ``ReadFailure``.
    package func read(
        from start: ReadStart, limit: Int, byteCountMax: Int, consistency: ReadConsistency
    ) async throws(ReadFailure) -> ReadPage {
        do {
            let host = self.host
            let confirms = consistency == .linearizable
            let access = try await self.eventLoop.flatSubmit { host.value.readAccess(confirms: confirms) }.get()
            if let next = access.atLeast, access.watch.view.nextIndex < next {
                // A quorum has it; this node's own disk is the slower one.
                let last = LogIndex(next.rawValue - 1)
                let timeout = self.configuration.limits.commitTimeoutMilliseconds
                guard await access.watch.wait(for: last, timeoutMilliseconds: timeout) else {
                    throw ReadFailure.unavailable
                }
            }
            let view = access.watch.view
            let index = start.index(first: access.store.firstIndex, next: view.nextIndex)
            // Not before: without a quorum, what is asked above takes long.
            let seat = try await self.seats.take()
            var page = try await self.pool.runIfActive {
                try PageReader(store: access.store).page(
                    from: index, limit: limit, byteCountMax: byteCountMax, through: view)
            }
            // A small page needs none: whoever holds one may ask for the next.
            if page.isLarge { page.seat = seat }
            if !access.isWhole, page.isUpToDate {
                guard !page.records.isEmpty else { throw ReadFailure.incomplete(next: view.nextIndex) }
                page.isUpToDate = false
            }
            return page
        } catch let failure as ReadFailure {
            throw failure
        } catch {
            throw .unavailable
        }
    }

    /// The index that the next record takes, as a quorum confirms now; this node itself may hold less.
    ///
    /// - Throws: ``ReadFailure``.
    package func confirmedNextIndex() async throws(ReadFailure) -> LogIndex {
        let host = self.host
        do {
            let access = try await self.eventLoop.flatSubmit { host.value.readAccess(confirms: true) }.get()
            return access.atLeast ?? access.watch.view.nextIndex
        } catch {
            throw error as? ReadFailure ?? .unavailable
        }
    }

    /// The durable cursors, once a quorum has confirmed how far this node must be.
    ///
    /// - Throws: ``ReadFailure``.
    package func cursors() async throws(ReadFailure) -> CursorTable {
        let host = self.host
        do { return try await self.eventLoop.flatSubmit { host.value.readCursors() }.get() } catch {
            throw error as? ReadFailure ?? .unavailable
        }
    }

    /// Waits until the record at `index` is committed.
    ///
    /// - Returns: `false` after the time-out or when the node stops.
    package func waitForCommit(of index: LogIndex, timeoutMilliseconds: UInt64) async -> Bool {
        let host = self.host
        let access = try? await self.eventLoop.flatSubmit { host.value.readAccess(confirms: false) }.get()
        guard let access else { return false }
        return await access.watch.wait(for: index, timeoutMilliseconds: timeoutMilliseconds)
    }

    /// How far this node's segments are committed.
    package func segments() async throws(ReadFailure) -> StoredSegments {
        try await self.reading { StoredSegments($0, through: $1) }
    }

    /// Committed frames as they stand in this node's files, their checksums checked.
    ///
    /// - Parameter byteCountMax: One frame is read in any case.
    package func frames(at position: Position, byteCountMax: Int) async throws(ReadFailure) -> CommittedFrames {
        try await self.reading {
            try CommittedFrames(at: position, byteCountMax: byteCountMax, of: $0, through: $1.position)
        }
    }

    /// Does `body` on the pool, with what this node knows to be committed.
    private func reading<Value: Sendable>(
        _ body: @escaping @Sendable (LogStore, CommitWatch.View) throws -> Value
    ) async throws(ReadFailure) -> Value {
        let host = self.host
        do {
            let access = try await self.eventLoop.flatSubmit { host.value.readAccess(confirms: false) }.get()
            return try await self.pool.runIfActive { try body(access.store, access.watch.view) }
        } catch {
            throw error as? ReadFailure ?? .unavailable
        }
    }
}
