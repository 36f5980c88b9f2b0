/// Waits for `body` so long at most; what it still does goes on by itself then.
///
/// - Returns: `nil` when the time was over first, or the task cancelled.
func within<Value: Sendable>(
    milliseconds: UInt64, _ body: @escaping @Sendable () async -> Value
) async -> Value? {
    let (values, continuation) = AsyncStream.makeStream(of: Value?.self, bufferingPolicy: .bufferingOldest(1))
    let work = Task { continuation.yield(await body()) }
    let clock = Task {
        try? await Task.sleep(for: .milliseconds(milliseconds))
        continuation.yield(nil)
    }
    defer {
        work.cancel()
        clock.cancel()
    }
    for await value in values { return value }
    return nil
}
