import Synchronization

/// Asks the parts of a node to answer, each of them one question at a time, however many wait for it: of a part that hangs
/// nothing gathers, whoever asks how often.
final class PartInquiry: Sendable {
    private struct State {
        var number: UInt64 = 0
        /// Who waits for the open question of a part; there is an entry while there is a question.
        var waiting: [NodePart: [UInt64: CheckedContinuation<Void, Never>]] = [:]
    }

    private let node: any AdminNode
    private let state = Mutex(State())

    init(node: any AdminNode) { self.node = node }

    /// How many wait for this part.
    func waitingCount(for part: NodePart) -> Int { self.state.withLock { $0.waiting[part]?.count ?? 0 } }

    /// Returns once the part has answered, be it a question that was asked before, or the task is cancelled.
    func reach(_ part: NodePart) async {
        let number = self.state.withLock { state in
            state.number += 1
            return state.number
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { self.wait(for: part, number, $0) }
        } onCancel: {
            self.state.withLock { $0.waiting[part]?.removeValue(forKey: number) }?.resume()
        }
    }

    private func wait(for part: NodePart, _ number: UInt64, _ continuation: CheckedContinuation<Void, Never>) {
        let isFirst: Bool? = self.state.withLock { state in
            guard !Task.isCancelled else { return nil }
            let isFirst = state.waiting[part] == nil
            state.waiting[part, default: [:]][number] = continuation
            return isFirst
        }
        guard let isFirst else { return continuation.resume() }
        guard isFirst else { return }
        Task {
            await self.node.reach(part)
            let waiting = self.state.withLock { $0.waiting.removeValue(forKey: part) } ?? [:]
            for continuation in waiting.values { continuation.resume() }
        }
    }
}
