import LogModel
import NIOCore

/// Has a quorum say now what is committed, for everybody who asks about readiness: they share a round, and its outcome
/// for a moment.
actor CommitProof {
    struct Outcome: Sendable {
        /// What was found, and in how many milliseconds; or why nothing was.
        var result: Result<LogIndex, PeerSilence>
        var milliseconds: Int64
        /// Whether this node holds all of it.
        var isLevel: Bool
    }

    private let node: any AdminNode
    private var last: (outcome: Outcome, at: NIODeadline)?
    private var running: Task<Outcome, Never>?

    init(node: any AdminNode) {
        self.node = node
    }

    func outcome() async -> Outcome {
        let age = TimeAmount.milliseconds(Int64(AdminLimits.proofAgeMilliseconds))
        if let last, NIODeadline.now() - last.at < age { return last.outcome }
        if let running { return await running.value }
        let task = Task { [node] in await Self.prove(node) }
        self.running = task
        let outcome = await task.value
        self.running = nil
        self.last = (outcome, .now())
        return outcome
    }

    private static func prove(_ node: any AdminNode) async -> Outcome {
        let began = NIODeadline.now()
        let limit = AdminLimits.proofMilliseconds
        let asked = await within(milliseconds: limit) { () -> Result<LogIndex, PeerSilence> in
            do throws(PeerSilence) { return .success(try await node.confirmedNextIndex()) } catch {
                return .failure(error)
            }
        }
        let result = asked ?? .failure(PeerSilence("no quorum has answered within \(limit) ms"))
        let took = (NIODeadline.now() - began).nanoseconds / 1_000_000
        guard case .success(let index) = result else {
            return Outcome(result: result, milliseconds: took, isLevel: false)
        }
        let isLevel = await within(milliseconds: limit) { await node.isLevel(with: index, withinMilliseconds: limit) }
        return Outcome(result: result, milliseconds: took, isLevel: isLevel ?? false)
    }
}
