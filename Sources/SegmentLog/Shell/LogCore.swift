import LogModel
import LogState
import SegmentFormat

/// What goes on in one log, under the lock of ``LogShell``: places frames, and decides what its two threads do next.
///
/// The writer belongs to whoever `work` says:
///
///     idle ---beginSync (a caller, or the log's thread)---> syncing ---finish---> idle
///     idle ---truncate, close (the log's thread)--------> exclusive ---finish---> idle
///
/// While syncing, appends go on under the lock; while exclusive they wait, and nobody else touches the writer. The
/// maintenance thread's chores hold values of their own and report back under the lock.
struct LogCore {
    typealias Outcome = Result<Void, LogError>
    typealias Continuation = CheckedContinuation<Outcome, Never>

    enum Work: Hashable {
        case idle, syncing, exclusive
    }

    /// Done by the log's thread alone, while appends wait.
    enum Request {
        case truncate(Position, Continuation)
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

    /// A sync to be performed, and whom to tell before.
    struct BegunSync {
        let job: SyncJob
        var wakeups = Wakeups()
    }

    /// Whom to tell of what happened; done without the lock.
    struct Wakeups {
        var done: [(Continuation, Outcome)] = []
        /// How many of those shared the sync that ended.
        var syncCallers = 0
        var readers: [CheckedContinuation<Void, Never>] = []
        var wakesThread = false
        var wakesMaintenance = false
    }

    let writer: LogWriter
    let configuration: LogConfiguration
    let view: LogView
    var state: LogState
    /// Whether ``state`` has the term in which this log writes.
    var isTermNoted = false
    var work = Work.idle
    /// Ascending by position, since the tail only grows while they wait.
    var syncWaiters: [SyncWaiter] = []
    var gathering = SyncGathering()
    /// Whether the log's thread sleeps no longer than until ``gathering`` ends.
    var isGatheringTimed = false
    /// Appends that wait for the next segment's file, for a truncation to end, or for what is staged to be written.
    var roomWaiters: [Continuation] = []
    /// Raised whenever those are let go: an append that found no room before, and comes to wait after, must not.
    var roomEpoch: UInt64 = 0
    /// Somebody found too much staged. The next sync takes it, and lets go those who wait for room.
    var isStageFull = false
    var tailWaiters: [UInt64: TailWaiter] = [:]
    var requests: [Request] = []
    /// When the oldest byte that is not synced was written.
    var unsyncedSince: MonotonicTime?
    var maintenance = Maintenance()
    var counters = LogCounters()
    /// Found under the lock, told by the maintenance thread.
    var events: [LogEvent.Kind] = []
    /// Whether the log's thread waits, and so has to be woken.
    var isThreadAsleep = false
    var isAbandoned = false
    var isClosed = false
    var hasFailed = false

    /// Standalone logs know no elections.
    static let term = Term(1)

    init(
        _ writer: LogWriter, _ configuration: LogConfiguration, view: LogView, state: LogState
    ) {
        self.writer = writer
        self.configuration = configuration
        self.view = view
        self.state = state
        self.publishView()
    }

    /// Why nothing can be written any more.
    var failure: LogError? {
        if self.isClosed { return .closed }
        return self.hasFailed ? .failed : nil
    }

    /// Tells readers how far the log reaches now. Not while the writer is somebody else's.
    mutating func publishView() {
        let durable = self.writer.durable.position
        let written = self.writer.chain.tail
        self.view.publish(
            visible: self.configuration.policy == .always ? durable : written, durable: durable, written: written)
    }

    /// Right before the log is cut: whoever sees that it was must not be told any more that more than this is visible, since
    /// what is appended after it is not in the files yet.
    ///
    /// - Parameter position: Where a frame ends.
    mutating func hide(from position: Position) {
        self.view.publish(
            visible: min(self.view.visible, position), durable: self.view.durable, written: self.view.written)
    }

    // MARK: Appending

    enum Attempt {
        case placed(Appended)
        /// The next segment's file is not there yet, a truncation goes on, or too much is staged.
        case wait(epoch: UInt64)
    }

    /// Places a frame at the tail.
    ///
    /// - Throws: As ``LogWriter/place(_:in:term:node:timestamp:)``, and ``LogError/tooLarge(byteCount:max:)``.
    mutating func append(
        _ outline: FrameOutline, in frame: inout MutableRawSpan, timestamp: Timestamp
    ) throws(LogError) -> Attempt {
        if let failure = self.failure { throw failure }
        if self.isCrowded, self.configuration.policy == .always {
            throw .overloaded(waiting: EngineLimits.waitingAppendsMax)
        }
        if self.work == .exclusive { return .wait(epoch: self.roomEpoch) }
        if self.writer.stagedByteCount >= EngineLimits.stagedByteCountMax {
            self.isStageFull = true
            return .wait(epoch: self.roomEpoch)
        }
        if outline.byteCount > self.writer.remainingByteCount {
            guard try self.beginSegment(for: outline.byteCount, timestamp: timestamp) else {
                return .wait(epoch: self.roomEpoch)
            }
        }
        let first = self.writer.chain.nextIndex
        let position: Position
        do throws(LogError) {
            position = try self.writer.place(
                outline, in: &frame, term: Self.term, node: self.configuration.node, timestamp: timestamp)
        } catch {
            self.publishView()
            throw error
        }
        // Records change nothing of the state but the term, and that only once.
        if !self.isTermNoted {
            self.state.note(term: Self.term, firstIndex: first, position: position)
            self.isTermNoted = true
        }
        self.counters.appended(records: outline.recordCount, byteCount: outline.byteCount)
        self.publishView()
        return .placed(
            Appended(
                first: first, last: first.advanced(by: UInt64(outline.recordCount) - 1), position: position,
                end: self.writer.chain.tail))
    }

    /// - Returns: Whether there is room now; if not, the maintenance thread makes the next segment's file.
    private mutating func beginSegment(for byteCount: Int, timestamp: Timestamp) throws(LogError) -> Bool {
        let payload = self.state.encoded()
        let used = SegmentHeader.byteCount + FrameHeader.byteCount + payload.count
        let room = self.configuration.segmentByteCountMax - used
        guard byteCount <= room else { throw .tooLarge(byteCount: byteCount, max: max(0, room)) }
        guard self.writer.canRotate else {
            self.maintenance.isPreparationAsked = true
            return false
        }
        let full = self.writer.chain.point.position
        let position = Position(segment: full.segment.next, offset: UInt32(SegmentHeader.byteCount))
        let index = self.writer.chain.nextIndex
        do throws(LogError) {
            try self.writer.beginSegment(
                checkpoint: payload, term: Self.term, node: self.configuration.node, timestamp: timestamp)
        } catch {
            self.publishView()
            throw error
        }
        self.state.note(term: Self.term, firstIndex: index, position: position)
        self.counters.segmentsRolled += 1
        self.events.append(.segmentRolled(full.segment, byteCount: Int(full.offset)))
        self.maintenance.hasRotated = true
        return true
    }
}
