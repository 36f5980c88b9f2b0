import Foundation
import Testing

/// The real binary, as processes that are killed, paused, cut off and started again, and judged by what they promised.
///
/// One at a time: each of these tests wants the machine for itself.
@Suite(.serialized, .timeLimit(.minutes(Failovers.count > 20 ? 60 : 3)))
struct ClusterTests {}

enum Failovers {
    /// How often a leader is killed under load; `HOLDFAST_FAILOVERS=100` kills it more often.
    static let count = ProcessInfo.processInfo.environment["HOLDFAST_FAILOVERS"].flatMap { Int($0) } ?? 10
}
