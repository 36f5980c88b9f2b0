#if HOLDFAST_TSAN
    import NIOConcurrencyHelpers

    /// The lock of a build for ThreadSanitizer, which sees a `pthread_mutex_t` but not into `Mutex`.
    ///
    /// `@unchecked Sendable`: the value is only touched with the lock held.
    package struct Lock<Value: ~Copyable>: ~Copyable, @unchecked Sendable {
        private let lock = NIOLock()
        private let value: UnsafeMutablePointer<Value>

        package init(_ initialValue: consuming sending Value) {
            self.value = .allocate(capacity: 1)
            self.value.initialize(to: initialValue)
        }

        deinit {
            self.value.deinitialize(count: 1)
            self.value.deallocate()
        }

        package borrowing func withLock<Result: ~Copyable, Failure: Error>(
            _ body: (inout sending Value) throws(Failure) -> sending Result
        ) throws(Failure) -> sending Result {
            self.lock.lock()
            defer { self.lock.unlock() }
            return try body(&self.value.pointee)
        }
    }
#else
    import Synchronization

    /// The lock around small shared states; never held over a system call that waits, or an `await`.
    ///
    /// An alias, so that a build for ThreadSanitizer (`HOLDFAST_TSAN=1`), which does not understand `Mutex`, can put
    /// another under it.
    package typealias Lock = Mutex
#endif
