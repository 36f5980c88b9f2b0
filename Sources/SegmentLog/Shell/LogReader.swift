import LogModel
import SegmentFormat

/// Where a reader begins.
public enum ReadStart: Hashable, Sendable {
    /// The first record that is not trimmed.
    case first
    /// Behind what is visible now.
    case tail
    /// The frame that begins there.
    case position(Position)
    /// This record, whether or not it is there yet.
    case index(LogIndex)
    /// The first frame that is not older.
    case timestamp(Timestamp)
}

/// Records of a ``SegmentLog`` in order, across segments.
///
/// Each iterator has a cursor of its own and reads ahead by up to 256 KiB. One that follows waits at the end without
/// polling. Both checksums of each frame and the chain of frames are checked on the way.
///
/// Trims and truncations are noticed when the next bytes are read: what was read before is still given. Then a reader
/// below the first segment gets ``LogError/trimmed(first:)``. One that stands behind a cut gets
/// ``LogError/beyondTail(tail:)``, whatever was appended since; it has seen records that are not in the log any more. One
/// that stands before the cut goes on with what was appended instead.
public struct LogReader: AsyncSequence, Sendable {
    public typealias Element = IndexedRecord
    public typealias Failure = LogError

    private let shell: LogShell
    private let start: ReadCursor
    private let firstIndex: LogIndex
    private let isFollowing: Bool

    init(_ shell: LogShell, start: ReadStart, isFollowing: Bool) throws(LogError) {
        self.shell = shell
        self.isFollowing = isFollowing
        while true {
            let truncations = shell.store.withLayout { $0.truncations }
            do throws(LogError) {
                (self.start, self.firstIndex) = try Self.begin(start, shell)
                return
            } catch {
                // The place was found here, and a truncation took it away meanwhile.
                if case .position = start { throw error }
                guard truncations != shell.store.withLayout({ $0.truncations }) else { throw error }
            }
        }
    }

    private static func begin(_ start: ReadStart, _ shell: LogShell) throws(LogError) -> (ReadCursor, LogIndex) {
        var firstIndex = LogIndex.first
        // What becomes visible while a place is sought is still to come for this reader: it begins where the search ended.
        var visible = shell.visible
        let look = {
            visible = shell.visible
            return visible
        }
        let position: Position
        switch start {
        case .first:
            position = shell.store.first
        case .tail:
            position = visible
        case .position(let given):
            position = given
        case .index(let index):
            firstIndex = index
            position = try shell.store.position(of: index, below: look) ?? visible
        case .timestamp(let timestamp):
            position = try shell.store.positionAtOrAfter(timestamp, below: look) ?? visible
        }
        let begin = shell.store.cursor(at: position)
        // A bad start is refused now, not at the first record.
        var (cursor, bytes) = (begin, [UInt8]())
        _ = try shell.store.read(&cursor, byteCountMax: 1, into: &bytes) { shell.visible }
        return (begin, firstIndex)
    }

    public func makeAsyncIterator() -> Iterator {
        Iterator(self.shell, self.start, firstIndex: self.firstIndex, isFollowing: self.isFollowing)
    }

    public struct Iterator: AsyncIteratorProtocol {
        public typealias Element = IndexedRecord
        public typealias Failure = LogError

        private let shell: LogShell
        private let firstIndex: LogIndex
        private let isFollowing: Bool
        private var cursor: ReadCursor
        /// Frames that were read and not yet gone through.
        private var records = FrameRecords()

        init(_ shell: LogShell, _ start: ReadCursor, firstIndex: LogIndex, isFollowing: Bool) {
            self.shell = shell
            self.cursor = start
            self.firstIndex = firstIndex
            self.isFollowing = isFollowing
        }

        public mutating func next() async throws(LogError) -> IndexedRecord? {
            try await self.next(isolation: nil)
        }

        /// - Returns: The next record; `nil` at the end, or when a following reader's log is closed or task cancelled.
        /// - Throws: See ``SegmentLog/read(from:following:)``. ``LogError/failed``: at the end of a log whose sync failed.
        @inlinable
        public mutating func next(
            isolation actor: isolated (any Actor)?
        ) async throws(LogError) -> IndexedRecord? {
            // Inlined into the caller's loop: going over to another async function costs more than the record.
            if let record = try self.nextRead() { return record }
            return try await self.nextWaiting(isolation: actor)
        }

        @usableFromInline
        mutating func nextWaiting(isolation actor: isolated (any Actor)?) async throws(LogError) -> IndexedRecord? {
            while true {
                guard try await self.waitForMore(isolation: actor) else { return nil }
                if let record = try self.nextRead() { return record }
            }
        }

        /// - Returns: `nil` when the end is reached for now.
        @usableFromInline
        mutating func nextRead() throws(LogError) -> IndexedRecord? {
            repeat {
                do throws(FormatError) {
                    if let record = try self.records.nextRecord() { return record }
                } catch {
                    throw self.damage(error)
                }
            } while try self.readAhead()
            return nil
        }

        /// The checksum is right and the records are not: so they were written.
        private func damage(_ error: FormatError) -> LogError {
            let start = Int(self.records.position.offset)
            return self.shell.store.refusal(
                for:
                    Damage(
                        self.records.position.segment, start..<start + self.records.frame.count,
                        .fault(FrameFault(.format(error)))))
        }

        /// Reads the next frames, into the memory of the last ones unless somebody keeps records of them.
        private mutating func readAhead() throws(LogError) -> Bool {
            var used = FrameRecords()
            swap(&used, &self.records)
            var bytes = used.recycled()
            if bytes.capacity > EngineLimits.recycledByteCountMax { bytes = [] }
            let (position, frames) = try self.shell.store.read(
                &self.cursor, byteCountMax: EngineLimits.readWindowByteCount, into: &bytes
            ) { [shell = self.shell] in shell.visible }
            self.records = FrameRecords(bytes, frames: frames, origin: position, from: self.firstIndex)
            return !frames.isEmpty
        }

        /// - Returns: `false` at the end.
        private func waitForMore(isolation actor: isolated (any Actor)?) async throws(LogError) -> Bool {
            guard self.isFollowing, !Task.isCancelled else { return false }
            if let failure = self.shell.failure {
                // What became visible in between is still to be read.
                if self.shell.visible > self.cursor.position { return true }
                guard failure == .closed else { throw failure }
                return false
            }
            await self.shell.waitForTail(beyond: self.cursor.position)
            return true
        }
    }
}
