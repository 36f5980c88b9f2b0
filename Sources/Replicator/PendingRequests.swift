import LogModel
import NIOCore
import RaftCore
import ReplicaCore

/// Who waits for the core's answer, by the number under which it was asked. Each is answered once: whoever takes a
/// request out of here answers it.
///
/// Bounded by those who let requests in: the queue of appends, and the limits of the listeners.
struct PendingRequests {
    struct Append {
        var reply: AppendQueue.Reply
        var at: NIODeadline
    }

    var appends: [UInt64: Append] = [:]
    var reads: [UInt64: EventLoopPromise<LogIndex>] = [:]
    var transfers: [UInt64: (Result<NodeID, TransferFailure>) -> Void] = [:]
    var changes: [UInt64: (Result<Membership, MembershipFailure>) -> Void] = [:]
    var trims: [UInt64: (Result<TrimOutcome, TrimFailure>) -> Void] = [:]
    private var lastID: UInt64 = 0

    /// - Returns: A number that no other request of this node's life has.
    mutating func makeID() -> UInt64 {
        self.lastID += 1
        return self.lastID
    }

    /// Nobody waits here any more.
    ///
    /// - Returns: Those who did, to be answered: what they do then may come back here.
    mutating func takeAll() -> PendingRequests {
        var all = PendingRequests()
        all.lastID = self.lastID
        swap(&self, &all)
        return all
    }

    /// Answers everybody that the node stops.
    ///
    /// - Parameter held: Appends that stand nowhere yet, and so are certainly not applied.
    func refuse(held: Set<UInt64>) {
        for (id, append) in self.appends { append.reply(.failure(.shuttingDown(mayBeApplied: !held.contains(id)))) }
        for read in self.reads.values { read.fail(ReadFailure.unavailable) }
        for transfer in self.transfers.values { transfer(.failure(.shuttingDown)) }
        for change in self.changes.values { change(.failure(.unknownOutcome)) }
        for trim in self.trims.values { trim(.failure(.shuttingDown)) }
    }
}
