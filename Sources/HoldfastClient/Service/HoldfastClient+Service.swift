import ServiceLifecycle

/// In a `ServiceGroup`: runs until the group is shut down, then closes all connections.
///
/// A group shuts services down in reverse order, so name the client in front of whatever uses it.
extension HoldfastClient: Service {
    public func run() async throws {
        try? await gracefulShutdown()
        await self.shutdown()
    }
}

/// In a `ServiceGroup`: runs until the group is shut down, then takes nothing more, and ends when all that was given is
/// answered. When it is cancelled instead, what waits fails as not applied, and what is on its way may be applied or not.
extension Appender: Service {
    public nonisolated func run() async throws {
        do { try await gracefulShutdown() } catch { await self.abandon() }
        await withTaskCancellationHandler {
            await self.shutdown()
        } onCancel: {
            Task { await self.abandon() }
        }
    }
}
