import Testing

/// The real binary, as processes that are killed, paused and started again, and judged by what they promised.
///
/// One at a time: each of these tests wants the machine for itself.
@Suite(.serialized, .timeLimit(.minutes(3)))
struct ClusterTests {}
