/// Every bound of the client, in one place.
package enum ClientLimits {
    /// How long one attempt waits for its answer: a leader that hangs is left after that.
    package static let attemptTimeoutMilliseconds: UInt64 = 1_000
    /// How long one attempt waits for every voter: shorter than it waits for its answer, which says who was missing.
    package static let allVotersMilliseconds: UInt64 = 800
    /// How long one attempt to read waits for a `minIndex`, likewise.
    package static let minIndexMilliseconds: UInt64 = 500
    /// How long a session waits for its next answer: longer than a commit may take.
    package static let sessionSilenceMilliseconds: Int64 = 12_000
    /// Batches of a session on their way at once; the server reads on while no more are.
    package static let sessionInFlightMax = 1_024
    /// Of batches that leave as one piece; larger ones leave by themselves.
    static let sessionRunByteCountMax = 16 << 10
    /// How long one server may take to say who leads.
    package static let discoveryTimeoutMilliseconds: UInt64 = 400
    /// Between attempts: from, doubling, to.
    package static let backoffMilliseconds: ClosedRange<UInt64> = 5...100
    /// Records of one request, and bytes of the batches that an appender makes: in JSON they may grow sixfold, up to what a
    /// server takes.
    package static let recordsPerAppendMax = 4_096
    package static let appenderByteCountMax = 1 << 20
    /// What a tail holds of a stream before its reader takes it; the server waits then.
    package static let tailWindowByteCount: UInt32 = 1 << 20
    /// After so much silence a tail asks whether others have more; a server that has less than they is left if it stays
    /// silent for another moment.
    package static let tailSilenceMilliseconds: UInt64 = 2_000
    package static let tailGraceMilliseconds: UInt64 = 500
    /// A piece of a segment: a slow disk or a slow line may take its time.
    package static let segmentTimeoutMilliseconds: UInt64 = 10_000
    /// One answer's body.
    package static let answerByteCountMax = 64 << 20
    /// Servers remembered from what clusters say about themselves.
    package static let serversMax = 32
}
