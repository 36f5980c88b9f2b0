import DiskIO
import LogModel
import LogState
import SegmentFormat
import Synchronization

/// One open log with its threads: what ``SegmentLog`` and its readers share.
///
/// One lock, around ``LogCore``; never held over a system call that waits, or an `await`:
///
///     append --(lock: place, copy)--> wait ---> one who leads, or the thread: sync --(lock: finish)--> all who waited
///
/// Two threads: the log's thread syncs where no caller may lead or others do not come, and truncates and closes; the
/// maintenance thread makes files and pages ready, removes what is trimmed and tells metrics, so that nothing of it holds
/// up a sync.
final class LogShell: Sendable {
    let store: LogStore
    let identity: NodeIdentity
    let view: LogView
    let configuration: LogConfiguration
    let core: Lock<LogCore>
    let metrics: LogMetrics
    let tell: (@Sendable (LogEvent) -> Void)?
    let signal = WakeSignal()
    let maintenanceSignal = WakeSignal()
    private let waiterIDs = Atomic<UInt64>(0)

    init(
        _ opened: OpenedLog, _ writer: LogWriter, _ tell: (@Sendable (LogEvent) -> Void)?
    ) throws(LogError) {
        let view = LogView()
        let state = if let state = opened.state { state } else { try LogCore.state(of: writer) }
        self.store = writer.store
        self.identity = opened.identity
        self.view = view
        self.configuration = opened.configuration
        self.metrics = LogMetrics(node: opened.identity.node)
        self.tell = tell
        let metrics = self.metrics
        let node = opened.identity.node
        self.store.damageFound = { damage in
            metrics.foundDamage()
            tell?(LogEvent(node: node, kind: .damageFound(damage)))
        }
        self.core = Lock(LogCore(writer, opened.configuration, view: view, state: state))
    }

    var visible: Position { self.view.visible }
    var durable: Position { self.view.durable }
    var failure: LogError? { self.core.withLock { $0.failure } }
    var isClosed: Bool { self.core.withLock { $0.isClosed } }

    // MARK: Appending

    /// Memory that a closure under the lock writes to; it does not outlive the call.
    private struct Frame: @unchecked Sendable {
        var memory: UnsafeMutableRawBufferPointer
    }

    /// Encodes a record on the caller's thread and places it. Does not wait.
    ///
    /// - Returns: `nil` when there is no room yet: ``append(contentsOf:)`` waits for it.
    func appendAtOnce(_ record: Record) throws(LogError) -> Appended? {
        let attempt = try withUnsafePointer(to: record) { pointer throws(LogError) in
            try self.write(UnsafeBufferPointer(start: pointer, count: 1))
        }
        return if case .placed(let appended) = attempt { appended } else { nil }
    }

    /// Encodes records on the caller's thread and places them; the caller goes on when they are written.
    nonisolated(nonsending) func append(contentsOf records: [Record]) async throws(LogError) -> Appended {
        while true {
            let attempt = try records.withUnsafeBufferPointer { records throws(LogError) in
                try self.write(records)
            }
            switch attempt {
            case .placed(let appended): return appended
            case .wait(let epoch): try await self.waitForRoom(since: epoch)
            }
        }
    }

    /// As ``append(contentsOf:)``, and returns once they are durable. Never on an actor's thread, since it may lead a
    /// sync.
    @concurrent
    func appendDurably(_ records: [Record]) async throws(LogError) -> Appended {
        while true {
            var attempt: LogCore.Attempt?
            let outcome = await withCheckedContinuation { (continuation: LogCore.Continuation) in
                attempt = records.withUnsafeBufferPointer { self.write($0, continuation) }
            }
            try outcome.get()
            switch attempt {
            case .placed(let appended): return appended
            case .wait(let epoch): try await self.waitForRoom(since: epoch)
            case nil: preconditionFailure("refused without an error")
            }
        }
    }

    private func write(_ records: UnsafeBufferPointer<Record>) throws(LogError) -> LogCore.Attempt {
        let (attempt, wakeups) = try self.place(records) { core, appended in
            core.noteWritten(through: appended.end) { SystemTime.monotonic }
        }
        if let wakeups { self.wake(wakeups) }
        return attempt
    }

    /// Resumes `continuation` when the records are durable, refused, or found no room.
    ///
    /// - Returns: `nil` when they were refused.
    private func write(
        _ records: UnsafeBufferPointer<Record>, _ continuation: LogCore.Continuation
    ) -> LogCore.Attempt? {
        do throws(LogError) {
            let (attempt, role) = try self.place(records) { core, appended in core.join(appended.end, continuation) }
            if let role {
                self.play(role)
            } else {
                continuation.resume(returning: .success(()))
            }
            return attempt
        } catch {
            continuation.resume(returning: .failure(error))
            return nil
        }
    }

    /// Encodes records off the lock, in memory of this call, and copies them into place under it.
    private func place<Extra: Sendable>(
        _ records: UnsafeBufferPointer<Record>, then: (inout LogCore, Appended) -> Extra?
    ) throws(LogError) -> (LogCore.Attempt, Extra?) {
        guard self.configuration.compression == .none else { return try self.placeCompressed(records, then: then) }
        let byteCount: Int
        do throws(FormatError) {
            byteCount = try FrameOutline.byteCount(of: records)
        } catch {
            throw LogError(error)
        }
        return try withUnsafeTemporaryAllocation(byteCount: byteCount, alignment: 8) { memory throws(LogError) in
            try self.place(FrameOutline.encode(records, into: memory), Frame(memory: memory), then: then)
        }
    }

    private func placeCompressed<Extra: Sendable>(
        _ records: UnsafeBufferPointer<Record>, then: (inout LogCore, Appended) -> Extra?
    ) throws(LogError) -> (LogCore.Attempt, Extra?) {
        var (outline, bytes): (FrameOutline, [UInt8])
        do throws(FormatError) {
            (outline, bytes) = try FrameDraft.records(Array(records), compression: self.configuration.compression)
                .takeApart()
        } catch {
            throw LogError(error)
        }
        return try bytes.withUnsafeMutableBufferPointer { memory throws(LogError) in
            try self.place(outline, Frame(memory: UnsafeMutableRawBufferPointer(memory)), then: then)
        }
    }

    private func place<Extra: Sendable>(
        _ outline: FrameOutline, _ frame: Frame, then: (inout LogCore, Appended) -> Extra?
    ) throws(LogError) -> (LogCore.Attempt, Extra?) {
        let timestamp = SystemTime.timestamp
        let (result, wakeups) = self.core.withLock {
            core -> (Result<(LogCore.Attempt, Extra?), LogError>, LogCore.Wakeups?) in
            do throws(LogError) {
                var bytes = MutableRawSpan(_unsafeBytes: frame.memory)
                let attempt = try core.append(outline, in: &bytes, timestamp: timestamp)
                guard case .placed(let appended) = attempt else { return (.success((attempt, nil)), nil) }
                return (.success((attempt, then(&core, appended))), nil)
            } catch {
                return (.failure(error), core.refused(error))
            }
        }
        if let wakeups { self.wake(wakeups) }
        return try result.get()
    }

    /// Returns once everything appended so far is durable.
    @concurrent
    func sync() async throws(LogError) {
        let outcome = await withCheckedContinuation { (continuation: LogCore.Continuation) in
            self.play(self.core.withLock { $0.joinTail(continuation) })
        }
        try outcome.get()
    }

    private func play(_ role: LogCore.Role) {
        switch role {
        case .waits(let wakeups): self.wake(wakeups)
        case .leads(let begun):
            self.sync(begun)
            SyncLeadership.giveBack()
        }
    }

    nonisolated(nonsending) private func waitForRoom(since epoch: UInt64) async throws(LogError) {
        let outcome = await withCheckedContinuation { (continuation: LogCore.Continuation) in
            self.wake(self.core.withLock { $0.joinRoom(since: epoch, continuation) })
        }
        try outcome.get()
    }

    // MARK: Other callers

    func request(_ make: (LogCore.Continuation) -> LogCore.Request) async throws(LogError) {
        let outcome = await withCheckedContinuation { (continuation: LogCore.Continuation) in
            let request = make(continuation)
            self.wake(self.core.withLock { $0.request(request) })
        }
        try outcome.get()
    }

    func trim(before position: Position) async throws(LogError) {
        let outcome = await withCheckedContinuation { (continuation: LogCore.Continuation) in
            self.wake(self.core.withLock { $0.request(trim: position, continuation) })
        }
        try outcome.get()
    }

    /// Returns once readers may read on from `position`, the log is closed, or the task is cancelled.
    func waitForTail(beyond position: Position) async {
        let id = self.waiterIDs.wrappingAdd(1, ordering: .relaxed).newValue
        await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
                let goesOn = self.core.withLock { core in
                    Task.isCancelled || core.awaitTail(beyond: position, id: id, continuation)
                }
                if goesOn { continuation.resume() }
            }
        } onCancel: {
            self.core.withLock { $0.cancelTailWaiter(id) }?.resume()
        }
    }

    /// Lets the threads close the log when nobody is left to do so.
    func abandon() { self.wake(self.core.withLock { $0.abandon() }) }

    /// Tells everybody of what happened under the lock. Not under it.
    func wake(_ wakeups: LogCore.Wakeups) {
        if wakeups.wakesThread { self.signal.raise() }
        for (continuation, outcome) in wakeups.done { continuation.resume(returning: outcome) }
        for reader in wakeups.readers { reader.resume() }
        if wakeups.wakesMaintenance { self.maintenanceSignal.raise() }
    }
}
