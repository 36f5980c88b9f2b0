/// How long this process was not let run: on a machine that stood still, or had too much else to do, deadlines pass that say
/// nothing of what is tested.
package enum Stall {
    private static let nap = Duration.milliseconds(50)

    /// - Returns: What `body` returns, and by how much the longest of many naps meanwhile was too long.
    package static func longest<Result>(
        during body: () async throws -> Result
    ) async rethrows -> (result: Result, stall: Duration) {
        let watch = Task.detached {
            let clock = ContinuousClock()
            var longest = Duration.zero
            while !Task.isCancelled {
                let taken = await clock.measure { try? await Task.sleep(for: Self.nap) }
                longest = max(longest, taken - Self.nap)
            }
            return longest
        }
        do {
            let result = try await body()
            watch.cancel()
            return (result, await watch.value)
        } catch {
            watch.cancel()
            throw error
        }
    }
}
