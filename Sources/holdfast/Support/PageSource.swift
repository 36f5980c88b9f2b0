import HoldfastClient
import LogModel

/// Reads pages as one command wants them.
struct PageSource: Sendable {
    var client: HoldfastClient
    var consistency = HoldfastClient.Consistency.linearizable
    var minIndex: LogIndex?
    /// `nil`: whoever leads.
    var server: ServerAddress?

    func page(from start: HoldfastClient.Start, limit: Int) async throws(ClientError) -> RecordPage {
        try await self.client.read(
            from: start, limit: limit, minIndex: self.minIndex, consistency: self.consistency, at: self.server)
    }

    func index(at moment: Timestamp) async throws(ClientError) -> LogIndex {
        try await self.client.index(at: moment, consistency: self.consistency, at: self.server)
    }
}
