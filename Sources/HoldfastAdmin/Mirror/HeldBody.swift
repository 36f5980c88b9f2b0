import HTTP2Transport
import NIOCore
import Synchronization

/// The body of a request while it comes, in pieces of its own: it grows without being copied, and keeps nothing else alive.
///
/// Whoever makes one calls ``leave()`` at its end.
final class HeldBody: Sendable {
    private struct State {
        var pieces = BodyPieces(pieceByteCount: HeldBody.pieceByteCount)
        var isRefused = false
        var refused: (@Sendable () -> Void)?
    }

    private static let pieceByteCount = 64 << 10

    private let budget: BodyBudget
    private let state = Mutex(State())

    init(in budget: BodyBudget) {
        self.budget = budget
        budget.join(self)
    }

    /// Others needed its room while it stood still: all of it is gone.
    var isRefused: Bool { self.state.withLock { $0.isRefused } }

    /// - Parameter refused: Called once, from any thread, when the body is refused; at once when it was before.
    func whenRefused(_ refused: @escaping @Sendable () -> Void) {
        let isRefused = self.state.withLock { state in
            if !state.isRefused { state.refused = refused }
            return state.isRefused
        }
        if isRefused { refused() }
    }

    /// - Returns: `false` when there is no room for it; ``isRefused`` tells whose doing that is.
    func add(_ bytes: ByteBuffer) -> Bool {
        guard self.budget.take(bytes.readableBytes, for: self) else { return false }
        return self.state.withLock { state in
            guard !state.isRefused else { return false }
            state.pieces.add(bytes)
            return true
        }
    }

    /// It is whole, and nobody refuses it any more.
    ///
    /// - Returns: All of it; `nil` when it was refused before.
    func complete() -> [ByteBuffer]? {
        guard self.budget.complete(self) else { return nil }
        return self.state.withLock { $0.pieces.take() }
    }

    func leave() { self.budget.leave(self) }

    /// For the budget, which does not count it any more.
    func refuse() {
        let refused = self.state.withLock { state in
            state.isRefused = true
            _ = state.pieces.take()
            return state.refused.take()
        }
        refused?()
    }
}
