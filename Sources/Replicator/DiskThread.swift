import DiskIO
import LogModel
import NIOCore
import NIOPosix
import ReplicaCore
import ReplicaDisk
import SegmentLog

/// The one thread on which a node writes and syncs: what queued up during a sync shares the next one, up to a bound.
///
///     loop --jobs--> [queue] --> write, write, truncate, ... --> one sync --events--> loop
///
/// A full disk is waited out: the write that found no room stays first in line and is tried again, so that nothing
/// placed is ever skipped; only votes and trims overtake it. Every other failure ends the node: a failed sync above all.
final class DiskThread: Sendable {
    enum Report: Sendable {
        case events([ReplicaEvent])
        case failed(LogError)
    }

    private struct State: Sendable {
        var jobs: [DiskJob] = []
        /// A run is under way, or will be.
        var isRunning = false
        var wantsSync = false
        /// A write waits for room.
        var isBlocked = false
        /// The next segment could not be prepared for want of room.
        var isUnprepared = false
        var hasFailed = false
        var isStopping = false

        var room: DiskRoom { self.isBlocked ? .none : self.isUnprepared ? .activeSegmentOnly : .enough }
        var isOver: Bool { self.hasFailed || self.isStopping }
    }

    /// Touched only by jobs on the pool's single thread.
    private struct Confined: @unchecked Sendable {
        let disk: ReplicaDisk
    }

    private static let retryMilliseconds: Int64 = 100
    /// Written before the next sync: who waits for one of the first of these writes does not wait for all that came since.
    /// A leader that people append to has less than that on its way to a follower that is behind, which may share its disk.
    private static let syncedByteCountMax = 2 << 20
    private let state = Lock(State())
    private let confined: Confined
    private let pool: NIOThreadPool
    private let eventLoop: any EventLoop
    private let policy: FsyncPolicy
    private let report: @Sendable (Report) -> Void
    private let syncTimes = Lock(LatencyHistogram())

    init(
        disk: ReplicaDisk, policy: FsyncPolicy, eventLoop: any EventLoop,
        report: @escaping @Sendable (Report) -> Void
    ) {
        self.confined = Confined(disk: disk)
        self.policy = policy
        self.eventLoop = eventLoop
        self.report = report
        self.pool = NIOThreadPool(numberOfThreads: 1)
        self.pool.start()
    }

    // MARK: From any thread

    /// How long syncs took, since the thread began.
    var syncLatency: LatencyHistogram { self.syncTimes.withLock { $0 } }

    /// Returns once the thread has come to it, behind all that it was given before.
    func reach() async {
        await withCheckedContinuation { continuation in self.pool.submit { _ in continuation.resume() } }
    }

    // MARK: From the event loop

    func enqueue(_ job: DiskJob) {
        let starts = self.state.withLock { state in
            guard !state.isOver else { return false }
            state.jobs.append(job)
            defer { state.isRunning = true }
            return !state.isRunning
        }
        if starts { self.submit { self.run() } }
    }

    /// To be called about once a second: carries what recovery likes to know to the disk.
    func rest() {
        self.submit {
            do throws(LogError) {
                if let event = try self.confined.disk.rest(now: Self.now()) { self.report(.events([event])) }
            } catch {
                self.failed(error)
            }
        }
    }

    /// Makes the next segment ready in the background; tries again while there is no room.
    func prepareNextSegment() {
        self.submit { self.prepare() }
    }

    /// Puts a good copy into the place of a damaged segment.
    ///
    /// - Parameter done: On the event loop; with what went wrong. Not called when the node stops for it.
    func install(_ copy: VerifiedSegment, done: @escaping @Sendable (LogError?) -> Void) {
        self.submit {
            let refusal: LogError?
            do throws(LogError) { refusal = try self.confined.disk.install(copy) } catch { return self.failed(error) }
            self.eventLoop.execute { done(refusal) }
        }
    }

    /// Finishes what is queued, closes the log with a clean mark, ends the thread.
    func stop() async {
        await self.end { try? $0.close(now: Self.now()) }
    }

    /// Finishes what is queued, gives the log up for a peer's first segment, ends the thread.
    ///
    /// - Returns: What went wrong; opening the directory tells which log is there.
    func stop(for copy: VerifiedFirstSegment) async -> LogError? {
        await self.end { disk in
            do throws(LogError) { try disk.giveUp(for: copy) } catch { return error }
            return nil
        } ?? .failed
    }

    /// - Returns: `nil` when a job failed; `body` is not called then.
    private func end<Value: Sendable>(_ body: @escaping @Sendable (ReplicaDisk) -> Value) async -> Value? {
        self.state.withLock { $0.isStopping = true }
        let value: Value? = await withCheckedContinuation { continuation in
            self.pool.submit { _ in
                self.run()
                let hasFailed = self.state.withLock { $0.hasFailed }
                continuation.resume(returning: hasFailed ? nil : body(self.confined.disk))
            }
        }
        try? await self.pool.shutdownGracefully()
        return value
    }

    private func submit(_ body: @escaping @Sendable () -> Void) {
        self.pool.submit { state in
            guard state == .active, !self.state.withLock({ $0.isOver }) else { return }
            body()
        }
    }

    private func submit(after milliseconds: Int64, _ body: @escaping @Sendable () -> Void) {
        self.eventLoop.scheduleTask(in: .milliseconds(milliseconds)) {
            if !self.state.withLock({ $0.isOver }) { self.submit(body) }
        }
    }

    private static func now() -> MonotonicTime {
        MonotonicTime(nanoseconds: NIODeadline.now().uptimeNanoseconds)
    }

    // MARK: On the thread

    private func run() {
        while true {
            let (jobs, wantsSync) = self.state.withLock { state -> ([DiskJob], Bool) in
                defer { state.wantsSync = false }
                if state.jobs.isEmpty, !state.wantsSync { state.isRunning = false }
                let jobs = DiskJob.take(
                    from: &state.jobs, byteCountMax: Self.syncedByteCountMax, isBlocked: state.isBlocked)
                return (jobs, state.wantsSync)
            }
            if jobs.isEmpty, !wantsSync { return }
            do throws(LogError) {
                let left = try self.perform(jobs, wantsSync: wantsSync)
                guard left.isEmpty else { return self.pause(before: left) }
            } catch {
                return self.failed(error)
            }
        }
    }

    /// - Returns: What found no room and has to wait, with all that comes behind it.
    private func perform(_ jobs: [DiskJob], wantsSync: Bool) throws(LogError) -> [DiskJob] {
        var events: [ReplicaEvent] = []
        let left: [DiskJob]
        do throws(LogError) { left = try self.confined.disk.perform(jobs, events: &events) } catch {
            self.report(.events(events))
            throw error
        }
        switch self.policy {
        case .always: if self.confined.disk.needsSync { events.append(try self.sync()) }
        case .batch(let window):
            if wantsSync || (!left.isEmpty && self.confined.disk.needsSync) {
                events.append(try self.sync())
            } else {
                self.syncLater(window)
            }
        case .os: break
        }
        self.report(.events(events))
        self.confined.disk.populateAhead()
        if left.isEmpty { self.note { $0.isBlocked = false } }
        return left
    }

    private func sync() throws(LogError) -> ReplicaEvent {
        let began = Self.now()
        let event = try self.confined.disk.sync(now: began)
        let took = Self.now().nanoseconds - began.nanoseconds
        self.syncTimes.withLock { $0.note(nanoseconds: took) }
        return event
    }

    private func syncLater(_ windowMilliseconds: UInt64) {
        guard self.confined.disk.needsSync else { return }
        self.eventLoop.scheduleTask(in: .milliseconds(Int64(windowMilliseconds))) {
            let starts = self.state.withLock { state in
                guard !state.isOver, !state.wantsSync else { return false }
                state.wantsSync = true
                defer { state.isRunning = true }
                return !state.isRunning
            }
            if starts { self.submit { self.run() } }
        }
    }

    // MARK: No room

    private func pause(before jobs: [DiskJob]) {
        self.state.withLock { $0.jobs = jobs + $0.jobs }
        self.note { $0.isBlocked = true }
        self.submit(after: Self.retryMilliseconds) { self.run() }
    }

    private func prepare() {
        do throws(LogError) {
            try self.confined.disk.prepareNextSegment()
            self.note { $0.isUnprepared = false }
        } catch {
            guard error == .noSpace else { return self.failed(error) }
            self.note { $0.isUnprepared = true }
            self.submit(after: Self.retryMilliseconds) { self.prepare() }
        }
    }

    /// Tells the node when there is less room, or more again.
    private func note(_ change: (inout State) -> Void) {
        let (before, after) = self.state.withLock { state in
            let before = state.room
            change(&state)
            return (before, state.room)
        }
        if before != after { self.report(.events([.diskRoom(after)])) }
    }

    private func failed(_ error: LogError) {
        let isFirst = self.state.withLock { state in
            defer {
                state.hasFailed = true
                state.jobs = []
            }
            return !state.hasFailed
        }
        if isFirst { self.report(.failed(error)) }
    }
}
