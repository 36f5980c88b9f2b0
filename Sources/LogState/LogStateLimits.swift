/// Every bound of the log's own state, in one place; together they keep a checkpoint below 256 KiB.
package enum LogStateLimits {
    package static let encodedByteCountMax = 256 << 10
    package static let votersMax = 31
    package static let learnersMax = 8
    /// Of one `host:port`.
    package static let addressByteCountMax = 100
    package static let termStartsMax = 64
    package static let producersMax = 256
    package static let resultsPerProducerMax = 16
    package static let idempotencyKeysMax = 2_048
    package static let cursorsMax = 256
}
