import DiskIO
import LogModel
import LogState
import SegmentFormat
import Synchronization

/// One open log with its thread: what ``SegmentLog``, its readers and the thread share.
///
/// One lock, around ``LogCore``; never held over a sync or an `await`. The thread does what blocks:
///
///     append --(lock: place, write)--> wait --signal--> thread: begin (lock), sync, finish (lock) --> all who waited
final class LogShell: Sendable {
    let store: LogStore
    let identity: NodeIdentity
    private let core: Lock<LogCore>
    private let signal = WakeSignal()
    private let waiterIDs = Atomic<UInt64>(0)

    private init(_ opened: OpenedLog, _ writer: LogWriter) throws(LogError) {
        self.store = writer.store
        self.identity = opened.identity
        self.core = Lock(try LogCore(writer, opened.configuration, state: opened.state))
    }

    /// Opens or makes the log. Blocks.
    static func open(
        _ configuration: LogConfiguration, fileSystem: any FileSystem
    ) throws(LogError) -> (LogShell, RecoveryReport) {
        var opened = try LogDirectory.open(configuration, mode: .standalone, fileSystem: fileSystem) {
            Incarnation(UInt64.random(in: 1 ... .max))
        }
        if opened.writer == nil {
            let cluster =
                configuration.cluster
                ?? ClusterID(high: UInt64.random(in: 1 ... .max), low: UInt64.random(in: 0 ... .max))
            let payload = LogState(founding: Membership()).encoded()
            let founding = FrameChain.foundingBytes(cluster: cluster, checkpoint: payload)
            try opened.form(cluster: cluster, founding: founding[...])
        }
        guard let writer = opened.writer else { preconditionFailure("a formed log has no writer") }
        return (try LogShell(opened, writer), opened.report)
    }

    var visible: Position { self.core.withLock { $0.visible } }
    var durable: Position { self.core.withLock { $0.writer.durable.position } }
    var failure: LogError? { self.core.withLock { $0.failure } }

    // MARK: Callers

    func append(_ records: [Record]) throws(LogError) -> Appended {
        let draft: FrameDraft
        do throws(FormatError) {
            draft = try FrameDraft.records(records)
        } catch {
            throw LogError(error)
        }
        let timestamp = SystemTime.timestamp
        let now = SystemTime.monotonic
        let result = self.core.withLock { core -> Result<(appended: Appended, wakesThread: Bool), LogError> in
            Result { () throws(LogError) in try core.append(draft, now: now, timestamp: timestamp) }
        }
        let (appended, wakesThread) = try result.get()
        if wakesThread { self.signal.raise() }
        return appended
    }

    func waitUntilDurable(_ end: Position) async throws(LogError) {
        let outcome = await withCheckedContinuation { (continuation: LogCore.Continuation) in
            if self.core.withLock({ $0.awaitDurable(end, continuation) }) { self.signal.raise() }
        }
        try outcome.get()
    }

    func request(_ make: (LogCore.Continuation) -> LogCore.Request) async throws(LogError) {
        let outcome = await withCheckedContinuation { (continuation: LogCore.Continuation) in
            let request = make(continuation)
            self.core.withLock { $0.request(request) }
            self.signal.raise()
        }
        try outcome.get()
    }

    /// Returns once readers may read on from `position`, the log is closed, or the task is cancelled.
    func waitForTail(beyond position: Position) async {
        let id = self.waiterIDs.wrappingAdd(1, ordering: .relaxed).newValue
        await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
                self.core.withLock { core in
                    if Task.isCancelled {
                        continuation.resume()
                    } else {
                        core.awaitTail(beyond: position, id: id, continuation)
                    }
                }
            }
        } onCancel: {
            self.core.withLock { $0.cancelTailWaiter(id) }
        }
    }

    /// Lets the thread close the log when nobody is left to do so.
    func abandon() {
        self.core.withLock { $0.abandon() }
        self.signal.raise()
    }

    // MARK: The thread

    func run() {
        while true {
            let now = SystemTime.monotonic
            switch self.core.withLock({ $0.nextStep(now: now) }) {
            case .perform(let request):
                self.core.withLock { $0.perform(request, now: now) }
            case .sync(let job):
                self.sync(job)
            case .prepare(let preparation):
                let result = Result { () throws(LogError) in try preparation.perform() }
                self.core.withLock { $0.prepared(result) }
            case .syncDurablePage:
                self.core.withLock { $0.noteDurablePageSynced(now: now) }
                self.syncDurablePage()
            case .wait(let deadline):
                self.signal.wait(until: deadline)
            case .exit:
                // As far as it can be done; recovery does the rest.
                self.core.withLock { core in try? core.close(now: now) }
                return
            }
        }
    }

    private func sync(_ job: SyncJob) {
        do throws(LogError) {
            try job.perform()
        } catch {
            self.core.withLock { $0.syncFailed(error) }
            return
        }
        if self.core.withLock({ $0.synced(job, now: SystemTime.monotonic) }) { self.syncDurablePage() }
    }

    private func syncDurablePage() {
        let durableFile = self.core.withLock { $0.writer.durableFile }
        do throws(LogError) {
            try durableFile.sync()
        } catch {
            self.core.withLock { $0.syncFailed(error) }
        }
    }
}
