import LogModel
import SystemPackage

#if canImport(Glibc)
    import Glibc
#endif

/// The time of day, for frames' timestamps and what people read: no safety depends on it.
package enum WallClock {
    package static func now() -> Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(nanoseconds: UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec))
    }
}
