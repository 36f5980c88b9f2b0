import NIOCore

/// The time of a load that counts.
///
///     warm-up | begin .................................. end | at most `grace`
///               answered in it: counts for the rate
///               sent in it: its latency counts, also when its answer comes later
///
/// Why two rules: a rate of what was sent would miss what a long answer belongs to, and latencies of what was answered in time
/// would leave out just the slowest.
package struct LoadWindow: Sendable {
    package enum Edge: Sendable {
        case begin
        case end
    }

    /// For what is not answered at the end; what takes longer has failed.
    package static let grace = TimeAmount.seconds(10)

    package let begin: NIODeadline
    package let end: NIODeadline

    /// Begins when `warmUp` has passed from now on.
    package init(warmUp: TimeAmount, duration: TimeAmount) {
        self.begin = .now() + warmUp
        self.end = self.begin + duration
    }

    package func contains(_ time: NIODeadline) -> Bool { self.begin <= time && time < self.end }

    /// Tells when either edge is reached, on the event loop: for whoever wants to know what was used between them.
    package func watch(on eventLoop: any EventLoop, _ reached: @escaping @Sendable (Edge) -> Void) {
        eventLoop.scheduleTask(deadline: self.begin) { reached(.begin) }
        eventLoop.scheduleTask(deadline: self.end) { reached(.end) }
    }
}
