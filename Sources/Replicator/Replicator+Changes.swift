import LogModel
import NIOCore
import RaftCore
import ReplicaCore

/// What a leader decides besides appends.
extension Replicator {
    /// Gives leadership to another node; appends that come meanwhile are held, and answered with its name.
    ///
    /// - Parameter node: `nil` is the follower that is furthest.
    /// - Returns: Who leads now.
    package func handOver(to node: NodeID? = nil) async throws(TransferFailure) -> NodeID {
        try await self.ask { $0.transfer(to: node, done: $1) }
    }

    /// Changes the membership, if this node leads.
    package func change(_ change: MembershipChange) async throws(MembershipFailure) -> Membership {
        try await self.ask { $0.change(change, done: $1) }
    }

    /// Has the leader trim the log: whole sealed segments go, on every node, that hold only records before `index`.
    ///
    /// The newest sealed segment stays in any case. Asking again is safe, also when the outcome is not known.
    ///
    /// - Returns: Where the log begins then, once a quorum has the decision on disk.
    package func trimmed(before index: LogIndex) async throws(TrimFailure) -> TrimOutcome {
        try await self.ask { $0.trim(before: index, done: $1) }
    }

    /// Asks on the event loop, and waits for the one answer.
    private func ask<Value: Sendable, Failure: Error>(
        _ question: @escaping @Sendable (ReplicatorHost, @escaping (Result<Value, Failure>) -> Void) -> Void
    ) async throws(Failure) -> Value {
        let host = self.host
        let result = await withCheckedContinuation {
            (continuation: CheckedContinuation<Result<Value, Failure>, Never>) in
            self.eventLoop.execute { question(host.value) { continuation.resume(returning: $0) } }
        }
        return try result.get()
    }
}
