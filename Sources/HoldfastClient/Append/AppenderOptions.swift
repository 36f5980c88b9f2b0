/// How an ``Appender`` groups what it is given, and how much of it waits.
public struct AppenderOptions: Hashable, Sendable {
    /// Records of one batch at most: 1 ... 4,096.
    public var recordsMax = 1_000
    /// Bytes of keys and values of one batch at most: 1 ... 1 MiB. A larger record makes a batch of its own.
    public var byteCountMax = 1 << 20
    /// How long the oldest record waits for others to share its batch.
    ///
    /// Zero is right for most: what comes while a batch is on its way makes the next one anyway.
    public var linger = Duration.zero
    /// Records that wait before ``Appender/send(_:)`` itself does: 1 or more.
    public var waitingRecordsMax = 10_000
    /// Bytes of keys and values that wait before ``Appender/send(_:)`` itself does: 1 or more.
    public var waitingByteCountMax = 16 << 20
    /// Refused when the log has seen a higher one; a higher one keeps all lower ones out.
    public var fencingToken: UInt64?
    /// Whom to wait for.
    public var acknowledgement = Acknowledgement.quorum

    public init() {}

    func check() {
        precondition(
            (1...ClientLimits.recordsPerAppendMax).contains(self.recordsMax), "\(self.recordsMax) records of a batch")
        precondition(
            (1...ClientLimits.appenderByteCountMax).contains(self.byteCountMax), "\(self.byteCountMax) bytes of a batch"
        )
        precondition(self.linger >= .zero, "linger of \(self.linger)")
        precondition(self.waitingRecordsMax > 0 && self.waitingByteCountMax > 0, "nothing may wait")
    }
}
