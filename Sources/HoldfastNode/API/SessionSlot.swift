import NIOCore
import ReplicaCore
import Synchronization

/// What a session waits for: a batch, or several batches of one record each that went to the log as one frame.
struct SessionSlot {
    /// Of its first batch.
    var sequence: UInt64
    /// How many batches are answered at once.
    var count = 1
    var byteCount: Int
    /// The batches of a run as they came, in case they have to be asked for one by one; then those that are left.
    var batches = ByteBuffer()
    var isTakenApart = false
    var result: Result<AppendOutcome, AppendFailure>?

    /// The log has some of its appends already, so that they have no common answer.
    var hasToBeTakenApart: Bool {
        guard self.count > 1, case .failure(.producerGap(let expected)) = self.result else { return false }
        return expected > self.sequence
    }
}

/// Replies on their way from the log's event loop to that of the stream.
final class SessionReplies: Sendable {
    typealias Reply = (number: Int, result: Result<AppendOutcome, AppendFailure>)

    private let waiting = Mutex<[Reply]>([])

    /// - Returns: Whether nobody is on the way to fetch it.
    func isFirst(_ number: Int, _ result: Result<AppendOutcome, AppendFailure>) -> Bool {
        self.waiting.withLock { waiting in
            waiting.append((number, result))
            return waiting.count == 1
        }
    }

    func takeAll() -> [Reply] {
        self.waiting.withLock { waiting in
            defer { waiting = [] }
            return waiting
        }
    }
}
