import ReplicaDisk
import SegmentLog

/// Why a node could not start, or had to stop.
package enum ReplicatorError: Error, Sendable {
    case log(LogError)
    case opening(ReplicaOpeningError)
    case bind(host: String, port: Int, reason: String)
    /// Nobody wants it any more.
    case cancelled
}
