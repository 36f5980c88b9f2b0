import DiskIO
import LogModel
import LogState
import SegmentFormat

extension LogShell {
    /// Opens or makes the log. Blocks.
    static func open(
        _ configuration: LogConfiguration, fileSystem: any FileSystem, tell: (@Sendable (LogEvent) -> Void)?
    ) throws(LogError) -> (LogShell, RecoveryReport) {
        var configuration = configuration
        if configuration.policy == .always { configuration.framePath = .staged }
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
        let shell = try LogShell(opened, writer, tell)
        shell.tell(.opened(opened.report))
        if let cut = opened.report.cut { shell.tell(.tailCut(cut)) }
        for damage in opened.report.damage { shell.tell(.damageFound(damage)) }
        return (shell, opened.report)
    }

    func tell(_ kind: LogEvent.Kind) { self.tell?(LogEvent(node: self.identity.node, kind: kind)) }

    /// Performs a sync, on the log's thread or on that of a caller who leads, and tells everybody.
    func sync(_ begun: LogCore.BegunSync) {
        self.wake(begun.wakeups)
        let job = begun.job
        let start = SystemTime.monotonic
        do throws(LogError) {
            try job.perform()
        } catch {
            self.wake(self.core.withLock { $0.syncFailed(error) })
            return
        }
        let now = SystemTime.monotonic
        let duration = now.nanoseconds - start.nanoseconds
        let wakeups = self.core.withLock { $0.finishSync(job, nanoseconds: duration, now: now) }
        self.wake(wakeups)
        self.metrics.synced(nanoseconds: duration)
        self.tell(.synced(nanoseconds: duration, callers: wakeups.syncCallers))
    }

    // MARK: The log's thread

    func run() {
        while true {
            let now = SystemTime.monotonic
            switch self.core.withLock({ $0.nextStep(now: now) }) {
            case .sync(let begun):
                self.sync(begun)
            case .perform(.truncate(let position, let continuation)):
                self.truncate(position, continuation)
            case .perform(.close(let continuation)):
                self.close(continuation)
            case .wait(let deadline):
                self.signal.wait(until: deadline)
            case .exit:
                // As far as it can be done; recovery does the rest.
                self.close(nil)
                return
            }
        }
    }

    private func truncate(_ position: Position, _ continuation: LogCore.Continuation) {
        let (writer, failure) = self.core.withLock { ($0.writer, $0.failure) }
        var state: LogState?
        let outcome = LogCore.Outcome { () throws(LogError) in
            if let failure { throw failure }
            try writer.truncate(from: position) { tail in self.core.withLock { $0.hide(from: tail) } }
            do throws(LogError) {
                state = try LogCore.state(of: writer)
            } catch {
                // Cut, and nobody knows what a checkpoint would have to say: nothing is written any more.
                writer.syncFailed()
                throw error
            }
        }
        let newState = state
        self.wake(self.core.withLock { $0.finishTruncation(outcome, state: newState, continuation) })
    }

    private func close(_ continuation: LogCore.Continuation?) {
        let (writer, state) = self.core.withLock { ($0.writer, $0.state) }
        let outcome = LogCore.Outcome { () throws(LogError) in
            try writer.close(now: SystemTime.monotonic, state: state)
        }
        self.wake(self.core.withLock { $0.finishClose(outcome, continuation) })
    }

    // MARK: The maintenance thread

    func maintain() {
        var scrubbing = Scrubbing(self)
        while true {
            let now = SystemTime.monotonic
            let (chore, wakeups) = self.core.withLock { $0.nextChore(now: now) }
            self.wake(wakeups)
            switch chore {
            case .prepare(let preparation):
                let result = Result { () throws(LogError) in try preparation.perform() }
                self.wake(self.core.withLock { $0.prepared(result) })
            case .populate(let population):
                population.perform()
            case .trim(let job, let continuation):
                let outcome = job.perform()
                self.wake(self.core.withLock { $0.trimmed(job, outcome, continuation) })
            case .syncPage:
                self.syncPage()
            case .tell(let events, let counters):
                for event in events { self.tell(event) }
                self.metrics.tell(counters)
            case .writeIndex(let segment):
                // A hint: whoever misses it walks the segment.
                _ = try? self.store.writeIndexFile(of: segment)
            case .retain:
                self.retain()
            case .wait(let deadline):
                let due = scrubbing.step(now: now)
                self.maintenanceSignal.wait(until: [deadline, due].compactMap(\.self).min())
            case .exit:
                return
            }
        }
    }

    private func retain() {
        let position = self.configuration.retention.trimPosition(
            segments: self.store.segments, durable: self.durable, now: SystemTime.timestamp
        ) { try? self.store.newestTimestamp(of: $0) }
        if let position { self.wake(self.core.withLock { $0.request(trim: position, nil) }) }
    }

    private func syncPage() {
        let durableFile = self.core.withLock { $0.writer.durableFile }
        var failure: LogError?
        do throws(LogError) { try durableFile.sync() } catch { failure = error }
        let error = failure
        self.wake(self.core.withLock { $0.pageSynced(error) })
    }
}

extension LogCore {
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
