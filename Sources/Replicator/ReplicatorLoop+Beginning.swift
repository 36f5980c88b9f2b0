import LogModel
import NIOCore
import ReplicaCore
import SegmentLog

/// A node that is too far behind: it fetches the leader's first segment beside its log.
extension ReplicatorLoop {
    /// What whoever reads of a first segment that was not fetched is to do.
    static let fetchHint = "see that the other node's peer port is open to this one, and that this node's disk has room"

    /// The newest copy that was asked for.
    struct Fetching {
        var segment: SegmentID
        var number: UInt64
        var task: Task<Void, Never>
        var isWanted = true
        /// Whole and checked.
        var copy: VerifiedFirstSegment?
    }

    func fetch(_ segment: SegmentID, from node: NodeID) {
        guard let peer = self.directory.peers.first(where: { $0.node == node }) else {
            return self.take(.fetchFailed(segment))
        }
        let store = self.store
        let fetch = SegmentFetch(
            segment: segment, peer: peer, tls: self.configuration.calling(node), pool: self.pool,
            eventLoop: self.eventLoop, logger: self.logger
        ) { try store.firstSegmentCopy(of: $0) }
        let bound = NIOLoopBound(self, eventLoop: self.eventLoop)
        let (eventLoop, pool) = (self.eventLoop, self.pool)
        // One after the other, since two copies may have the same name.
        let previous = self.fetching?.task
        let number = (self.fetching?.number ?? 0) + 1
        let task = Task {
            await previous?.value
            let result: Result<VerifiedFirstSegment, any Error>
            do { result = .success(try await fetch.run()) } catch { result = .failure(error) }
            let isWanted = try? await eventLoop.submit { bound.value.fetched(result, number) }.get()
            guard isWanted != true, case .success(let copy) = result else { return }
            try? await pool.runIfActive { copy.cancel() }
        }
        self.fetching = Fetching(segment: segment, number: number, task: task)
    }

    func dropFetch() {
        self.fetching?.task.cancel()
        self.fetching?.isWanted = false
    }

    /// - Returns: Whether the copy is taken.
    private func fetched(_ result: Result<VerifiedFirstSegment, any Error>, _ number: UInt64) -> Bool {
        guard let fetching = self.fetching, fetching.number == number, fetching.isWanted else { return false }
        switch result {
        case .success(let copy):
            self.fetching?.copy = copy
            self.take(.fetched(fetching.segment))
            return true
        case .failure(let error):
            self.logger.warning(
                "cannot fetch the leader's first segment; trying again",
                metadata: [
                    "segment": "\(fetching.segment)", "error": "\(error)",
                    "hint": "\(SegmentFetchError.hint(after: error, else: Self.fetchHint))",
                ])
            self.fetching?.isWanted = false
            self.take(.fetchFailed(fetching.segment))
            return false
        }
    }
}
