import LogModel
import NIOCore
import NIOPosix
import ReplicaCore
import ReplicaDisk
import SegmentLog
import Synchronization

/// The one thread on which a node writes and syncs: what queued up during a sync shares the next one.
///
///     loop --jobs--> [queue] --> write, write, truncate, ... --> one sync --events--> loop
///
/// A full disk is waited out: the job that found no room stays first in line and is tried again, so that
/// nothing placed is ever skipped. Every other failure ends the node.
final class DiskThread: Sendable {
    enum Report: Sendable {
        case events([ReplicaEvent])
        case failed(LogError)
    }

    private struct State: Sendable {
        var jobs: [DiskJob] = []
        var isRunning = false
        var wantsSync = false
        var isFull = false
        var hasFailed = false
        var isStopping = false
    }

    /// Touched only by jobs on the pool's single thread.
    private struct Confined: @unchecked Sendable {
        let disk: ReplicaDisk
    }

    private static let retryMilliseconds: Int64 = 100
    private let state = Mutex(State())
    private let confined: Confined
    private let pool: NIOThreadPool
    private let eventLoop: any EventLoop
    private let policy: FsyncPolicy
    private let report: @Sendable (Report) -> Void

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

    func enqueue(_ job: DiskJob) {
        let starts = self.state.withLock { state in
            guard !state.hasFailed, !state.isStopping else { return false }
            state.jobs.append(job)
            defer { state.isRunning = true }
            return !state.isRunning
        }
        if starts { self.submit() }
    }

    private static func now() -> MonotonicTime {
        MonotonicTime(nanoseconds: NIODeadline.now().uptimeNanoseconds)
    }

    /// To be called about once a second: carries what recovery likes to know to the disk.
    func rest() {
        self.pool.submit { _ in
            do throws(LogError) { try self.confined.disk.rest(now: Self.now()) } catch { self.failed(error) }
        }
    }

    /// Makes the next segment ready in the background.
    func prepareNextSegment() {
        self.pool.submit { _ in
            do throws(LogError) { try self.confined.disk.prepareNextSegment() } catch { self.failed(error) }
        }
    }

    /// Finishes what is queued, closes the log with a clean mark, ends the thread.
    func stop() async {
        self.state.withLock { $0.isStopping = true }
        await withCheckedContinuation { continuation in
            self.pool.submit { _ in
                self.run()
                if !self.state.withLock({ $0.hasFailed }) { try? self.confined.disk.close(now: Self.now()) }
                continuation.resume()
            }
        }
        try? await self.pool.shutdownGracefully()
    }

    private func submit() {
        self.pool.submit { _ in self.run() }
    }

    private func run() {
        while true {
            let (jobs, wantsSync) = self.state.withLock { state -> ([DiskJob], Bool) in
                defer {
                    state.jobs = []
                    state.wantsSync = false
                }
                if state.jobs.isEmpty, !state.wantsSync { state.isRunning = false }
                return (state.jobs, state.wantsSync)
            }
            if jobs.isEmpty, !wantsSync { return }
            guard self.perform(jobs, wantsSync: wantsSync) else { return }
        }
    }

    /// - Returns: `false` when the thread has to pause: the disk is full, or the log has failed.
    private func perform(_ jobs: [DiskJob], wantsSync: Bool) -> Bool {
        var events: [ReplicaEvent] = []
        for (done, job) in jobs.enumerated() {
            do {
                if let event = try self.confined.disk.perform(job) { events.append(event) }
            } catch {
                self.report(.events(events))
                if error == .noSpace { self.pause(before: Array(jobs[done...])) } else { self.failed(error) }
                return false
            }
        }
        let wasFull = self.state.withLock { state in
            defer { state.isFull = false }
            return state.isFull
        }
        if wasFull { events.append(.diskFilled(false)) }
        do {
            switch self.policy {
            case .always:
                if self.confined.disk.needsSync { events.append(try self.confined.disk.sync(now: Self.now())) }
            case .batch(let window):
                if wantsSync {
                    events.append(try self.confined.disk.sync(now: Self.now()))
                } else {
                    self.syncLater(window)
                }
            case .os: break
            }
        } catch {
            self.failed(error)
            return false
        }
        self.report(.events(events))
        return true
    }

    private func syncLater(_ windowMilliseconds: UInt64) {
        guard self.confined.disk.needsSync else { return }
        self.eventLoop.scheduleTask(in: .milliseconds(Int64(windowMilliseconds))) {
            let starts = self.state.withLock { state in
                guard !state.hasFailed, !state.wantsSync else { return false }
                state.wantsSync = true
                defer { state.isRunning = true }
                return !state.isRunning
            }
            if starts { self.submit() }
        }
    }

    private func pause(before jobs: [DiskJob]) {
        self.state.withLock { state in
            state.jobs = jobs + state.jobs
            state.isFull = true
        }
        self.report(.events([.diskFilled(true)]))
        self.eventLoop.scheduleTask(in: .milliseconds(Self.retryMilliseconds)) { self.submit() }
    }

    private func failed(_ error: LogError) {
        guard error != .noSpace else { return self.report(.events([.diskFilled(true)])) }
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
