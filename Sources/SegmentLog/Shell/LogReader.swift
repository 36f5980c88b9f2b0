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
/// polling.
public struct LogReader: AsyncSequence, Sendable {
    public typealias Element = IndexedRecord
    public typealias Failure = LogError

    private let shell: LogShell
    private let position: Position
    private let firstIndex: LogIndex
    private let isFollowing: Bool

    init(_ shell: LogShell, start: ReadStart, isFollowing: Bool) throws(LogError) {
        self.shell = shell
        self.isFollowing = isFollowing
        var firstIndex = LogIndex.first
        switch start {
        case .first:
            self.position = shell.store.first
        case .tail:
            self.position = shell.visible
        case .position(let position):
            self.position = position
        case .index(let index):
            firstIndex = index
            self.position = try shell.store.position(of: index) ?? shell.visible
        case .timestamp(let timestamp):
            self.position = try shell.store.positionAtOrAfter(timestamp) ?? shell.visible
        }
        self.firstIndex = firstIndex
        // A bad start is refused now, not at the first record.
        _ = try shell.store.read(from: self.position, through: shell.visible, byteCountMax: 1)
    }

    public func makeAsyncIterator() -> Iterator {
        Iterator(self.shell, position: self.position, firstIndex: self.firstIndex, isFollowing: self.isFollowing)
    }

    public struct Iterator: AsyncIteratorProtocol {
        public typealias Element = IndexedRecord
        public typealias Failure = LogError

        private let shell: LogShell
        private let firstIndex: LogIndex
        private let isFollowing: Bool
        /// Where to read on.
        private var position: Position
        /// Frames that were read and not yet looked at.
        private var frames: FrameSequence?
        /// The frame that is being looked at.
        private var header: FrameHeader?
        private var framePosition = Position.zero
        private var records = RecordReader(payload: [], count: 0, flags: [])
        private var nextIndex = LogIndex.first

        init(_ shell: LogShell, position: Position, firstIndex: LogIndex, isFollowing: Bool) {
            self.shell = shell
            self.position = position
            self.firstIndex = firstIndex
            self.isFollowing = isFollowing
        }

        public mutating func next() async throws(LogError) -> IndexedRecord? {
            try await self.next(isolation: nil)
        }

        /// - Returns: The next record; `nil` at the end, or when a following reader's log is closed or task cancelled.
        /// - Throws: See ``SegmentLog/read(from:following:)``. ``LogError/failed``: at the end of a log whose sync failed.
        public mutating func next(
            isolation actor: isolated (any Actor)?
        ) async throws(LogError) -> IndexedRecord? {
            while true {
                if let record = try self.nextOfFrame() { return record }
                if let frame = self.frames?.next() {
                    self.enter(frame)
                    continue
                }
                let range = try self.shell.store.read(
                    from: self.position, through: self.shell.visible, byteCountMax: EngineLimits.readWindowByteCount)
                if !range.bytes.isEmpty {
                    self.frames = FrameSequence(range)
                    self.position = range.end
                    continue
                }
                guard self.isFollowing, !Task.isCancelled else { return nil }
                if let failure = self.shell.failure {
                    // What became visible in between is still to be read.
                    if self.shell.visible > self.position { continue }
                    guard failure == .closed else { throw failure }
                    return nil
                }
                await self.shell.waitForTail(beyond: self.position)
            }
        }

        private mutating func enter(_ frame: FrameSequence.Frame) {
            self.header = frame.header
            self.framePosition = frame.position
            self.nextIndex = frame.header.firstIndex
            let isWanted = frame.header.kind == .records && frame.header.nextIndex > self.firstIndex
            self.records =
                isWanted
                ? RecordReader(payload: frame.payload, of: frame.header)
                : RecordReader(payload: [], count: 0, flags: [])
        }

        private mutating func nextOfFrame() throws(LogError) -> IndexedRecord? {
            guard let header = self.header else { return nil }
            while true {
                let record: Record?
                do throws(FormatError) {
                    record = try self.records.next()
                } catch {
                    let start = Int(self.framePosition.offset)
                    throw .damaged(
                        Damage(
                            self.framePosition.segment, start..<start + Int(header.length),
                            .fault(FrameFault(.format(error)))))
                }
                guard let record else {
                    self.header = nil
                    return nil
                }
                let index = self.nextIndex
                self.nextIndex = index.advanced(by: 1)
                if index < self.firstIndex { continue }
                return IndexedRecord(
                    index: index, position: self.framePosition, term: header.term, timestamp: header.timestamp,
                    record: record
                )
            }
        }
    }
}
