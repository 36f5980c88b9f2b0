import Glibc
import LogModel

/// A thread that sleeps until it is woken or a time has come: where a log's blocking calls are made.
///
/// The Swift pool has a thread per core and must not block; a sync blocks for milliseconds.
///
/// `@unchecked Sendable`: the C mutex guards the flag, and both live at fixed addresses.
final class WakeSignal: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var isRaised = false

    init() {
        pthread_mutex_init(self.mutex, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        // A wall clock that is set back would otherwise hold up a sync.
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(self.condition, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(self.condition)
        pthread_mutex_destroy(self.mutex)
        self.condition.deallocate()
        self.mutex.deallocate()
    }

    func raise() {
        pthread_mutex_lock(self.mutex)
        let wasRaised = self.isRaised
        self.isRaised = true
        pthread_mutex_unlock(self.mutex)
        if !wasRaised { pthread_cond_signal(self.condition) }
    }

    /// Returns once raised, or at `deadline`; takes the signal down.
    func wait(until deadline: MonotonicTime?) {
        pthread_mutex_lock(self.mutex)
        while !self.isRaised {
            if let deadline {
                var time = timespec(
                    tv_sec: Int(deadline.nanoseconds / 1_000_000_000),
                    tv_nsec: Int(deadline.nanoseconds % 1_000_000_000)
                )
                if pthread_cond_timedwait(self.condition, self.mutex, &time) != 0 { break }
            } else {
                pthread_cond_wait(self.condition, self.mutex)
            }
        }
        self.isRaised = false
        pthread_mutex_unlock(self.mutex)
    }
}

enum LogThread {
    /// Runs `body` on a thread of its own, which nobody joins.
    ///
    /// - Returns: `false` when the system has no thread left; `body` does not run then.
    static func start(_ body: @escaping @Sendable () -> Void) -> Bool {
        let box = Unmanaged.passRetained(Box(body))
        var thread = pthread_t()
        let result = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                Unmanaged<Box>.fromOpaque(argument).takeRetainedValue().body()
                return nil
            }, box.toOpaque()
        )
        guard result == 0 else {
            box.release()
            return false
        }
        pthread_detach(thread)
        return true
    }

    private final class Box {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
}

/// The machine's clocks.
enum SystemTime {
    static var timestamp: Timestamp { Timestamp(nanoseconds: Self.nanoseconds(of: CLOCK_REALTIME)) }
    static var monotonic: MonotonicTime { MonotonicTime(nanoseconds: Self.nanoseconds(of: CLOCK_MONOTONIC)) }

    private static func nanoseconds(of clock: clockid_t) -> UInt64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return UInt64(max(0, time.tv_sec)) * 1_000_000_000 + UInt64(max(0, time.tv_nsec))
    }
}
