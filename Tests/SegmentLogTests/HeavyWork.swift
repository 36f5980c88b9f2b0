import Dispatch

/// A thread for tests that compute for seconds, one of them at a time: on the threads of the Swift pool they would hold up
/// tests that wait, some of them with an eye on the clock.
enum HeavyWork {
    private static let queue = DispatchQueue(label: "heavy tests")

    /// - Parameter body: Hands back what it found; expectations belong to the test's own task.
    static func run<Found: Sendable>(_ body: @escaping @Sendable () throws -> Found) async throws -> Found {
        try await withCheckedThrowingContinuation { continuation in
            Self.queue.async { continuation.resume(with: Result(catching: body)) }
        }
    }
}
