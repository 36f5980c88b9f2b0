import LogModel
import LogState
import SegmentFormat

/// What an append returns.
public struct Appended: Hashable, Sendable {
    /// Indexes of the first and the last record.
    public var first: LogIndex
    public var last: LogIndex
    /// Of the frame that holds them.
    public var position: Position
    /// Behind that frame.
    public var end: Position
}

/// What goes on in one log, under the lock of ``LogShell``: places frames, and decides what the log's thread does next.
struct LogCore {
    typealias Outcome = Result<Void, LogError>
    typealias Continuation = CheckedContinuation<Outcome, Never>

    /// What the log's thread is to do.
    enum Step {
        case perform(Request)
        case sync(SyncJob)
        case prepare(SegmentPreparation)
        case syncDurablePage
        case wait(until: MonotonicTime?)
        case exit
    }

    /// Done by the log's thread, so that no caller's thread blocks and none comes in the way of a sync.
    enum Request {
        case truncate(Position, Continuation)
        case trim(Position, Continuation)
        case close(Continuation)
    }

    struct SyncWaiter {
        var end: Position
        var continuation: Continuation
    }

    struct TailWaiter {
        var position: Position
        var continuation: CheckedContinuation<Void, Never>
    }

    let writer: LogWriter
    let configuration: LogConfiguration
    var state: LogState
    /// Ascending by position, since the tail only grows while they wait.
    var syncWaiters: [SyncWaiter] = []
    var tailWaiters: [UInt64: TailWaiter] = [:]
    var requests: [Request] = []
    /// When the oldest byte that is not synced was written.
    var unsyncedSince: MonotonicTime?
    /// The disk had no room for the next segment; asked again when a segment begins or goes.
    var wasPreparationRefused = false
    var isPreparing = false
    var isAbandoned = false
    var isClosed = false

    /// Standalone logs know no elections.
    private static let term = Term(1)

    /// - Parameter state: At the tail, when opening found it out.
    init(_ writer: LogWriter, _ configuration: LogConfiguration, state: LogState?) throws(LogError) {
        self.writer = writer
        self.configuration = configuration
        if let state { self.state = state } else { self.state = try Self.state(of: writer) }
    }

    /// How far readers may read.
    var visible: Position {
        self.configuration.policy == .always ? self.writer.durable.position : self.writer.chain.tail
    }

    // MARK: Appending

    /// Places a frame at the tail and writes it.
    ///
    /// - Returns: Where the records stand, and whether the log's thread has something to do because of them.
    /// - Throws: As ``LogWriter/append(_:at:)``, and ``LogError/tooLarge(byteCount:max:)``.
    mutating func append(
        _ draft: consuming FrameDraft, now: MonotonicTime, timestamp: Timestamp
    ) throws(LogError) -> (appended: Appended, wakesThread: Bool) {
        guard !self.isClosed else { throw .closed }
        let count = UInt64(draft.recordCount)
        let first = self.writer.chain.nextIndex
        let placed = try self.write(draft, timestamp: timestamp)
        let isWindowStart = self.unsyncedSince == nil
        self.unsyncedSince = self.unsyncedSince ?? now
        self.wakeReaders()
        let appended = Appended(
            first: first, last: first.advanced(by: count - 1), position: placed.position,
            end: placed.position.advanced(by: placed.bytes.count)
        )
        // Waking costs more than the append: only for a timer to be set or a segment to be prepared.
        return (appended, self.isPreparationNeeded || (isWindowStart && self.isBatch))
    }

    private var isBatch: Bool {
        if case .batch = self.configuration.policy { true } else { false }
    }

    private mutating func write(_ draft: consuming FrameDraft, timestamp: Timestamp) throws(LogError) -> PlacedFrame {
        var chain = self.writer.chain
        var state = self.state
        let byteCount = draft.byteCount
        if byteCount <= self.writer.remainingByteCount {
            let frame = chain.place(draft, term: Self.term, node: self.configuration.node, timestamp: timestamp)
            Self.apply(frame, to: &state)
            try self.writer.append(frame.bytes[...], at: frame.position)
            self.state = state
            return frame
        }
        let checkpointPayload = self.state.encoded()
        let room =
            self.configuration.segmentByteCountMax - SegmentHeader.byteCount - FrameHeader.byteCount
            - checkpointPayload.count
        guard byteCount <= room else { throw .tooLarge(byteCount: byteCount, max: max(0, room)) }
        var bytes = chain.startSegment()
        let checkpoint = chain.place(
            .control(.checkpoint, payload: checkpointPayload), term: Self.term, node: self.configuration.node,
            timestamp: timestamp
        )
        Self.apply(checkpoint, to: &state)
        let frame = chain.place(draft, term: Self.term, node: self.configuration.node, timestamp: timestamp)
        Self.apply(frame, to: &state)
        bytes += checkpoint.bytes
        bytes += frame.bytes
        try self.writer.append(bytes[...], at: Position(segment: frame.position.segment, offset: 0))
        self.state = state
        self.wasPreparationRefused = false
        return frame
    }

    private static func apply(_ frame: PlacedFrame, to state: inout LogState) {
        let payload = frame.bytes[frame.header.headerByteCount...]
        do throws(LogStateError) {
            _ = try state.apply(frame.header, payload: payload, at: frame.position)
        } catch {
            preconditionFailure("the log does not accept its own frame: \(error)")
        }
    }

    /// The state at the tail: the last checkpoint, and what came after it.
    static func state(of writer: LogWriter) throws(LogError) -> LogState {
        let tail = writer.chain.tail
        let checkpoint = try writer.store.checkpoint(of: tail.segment)
        var position = Position(segment: tail.segment, offset: UInt32(SegmentHeader.byteCount))
        guard var state = try? LogState(decoding: checkpoint) else { throw .unsupportedCheckpoint(tail.segment) }
        while position < tail {
            let range = try writer.store.read(
                from: position, through: tail, byteCountMax: EngineLimits.scanWindowByteCount)
            for frame in FrameSequence(range) {
                do throws(LogStateError) {
                    _ = try state.apply(frame.header, payload: frame.payload, at: frame.position)
                } catch {
                    throw .unsupportedCheckpoint(tail.segment)
                }
            }
            position = range.end
        }
        return state
    }
}
