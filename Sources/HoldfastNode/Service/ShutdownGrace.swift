import NIOCore

#if DEBUG
    import Glibc
#endif

/// How long a node that stops lets open requests finish.
enum ShutdownGrace {
    private static let own = TimeAmount.milliseconds(NodeLimits.shutdownGraceMilliseconds)

    #if DEBUG
        /// Debug builds wait for as many milliseconds as a test says, which then need not be faster than they are; a release knows
        /// no such variable.
        static let time =
            getenv("HOLDFAST_TEST_SHUTDOWN_GRACE").flatMap { Int64(String(cString: $0)) }
            .map { TimeAmount.milliseconds($0) } ?? own
    #else
        static let time = own
    #endif
}
