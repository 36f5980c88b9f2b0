import HoldfastClient
import HoldfastNode
import LogModel

/// Readers of a cluster, each with a connection of its own, until all is read or the time is up.
struct ReadRun {
    /// What one reader got.
    struct Part: Sendable {
        var recordCount = 0
        /// Of keys and values.
        var byteCount = 0
        /// Of each page, from asking to the last record.
        var latencies = LatencyRecorder()
        var seconds = 0.0
    }

    private static let timeoutMilliseconds: UInt64 = 10_000
    /// How long one question waits at the end of the log.
    private static let waitMilliseconds: UInt64 = 200

    var servers: [ServerAddress]
    var access: ClientAccess
    var readers: Int
    /// Records of one page at most.
    var page: Int
    /// Goes on with what is committed later, from the end of the log on, instead of reading what is there.
    var isFollowing: Bool
    var milliseconds: UInt64

    /// - Parameter range: What is there to be read: the first record, and where the log ends.
    /// - Returns: What each reader got.
    func run(_ range: Range<LogIndex>) async throws -> [Part] {
        let deadline = MonotonicClock.now + self.milliseconds * 1_000_000
        return try await withThrowingTaskGroup(of: Part.self) { group in
            for _ in 0..<self.readers { group.addTask { try await self.read(range, until: deadline) } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
    }

    private func read(_ range: Range<LogIndex>, until deadline: UInt64) async throws(CommandFailure) -> Part {
        let client = HoldfastClient(
            servers: self.servers, access: self.access, timeoutMilliseconds: Self.timeoutMilliseconds)
        var part = Part()
        var next = self.isFollowing ? range.upperBound : range.lowerBound
        let began = MonotonicClock.now
        while MonotonicClock.now < deadline, self.isFollowing || next < range.upperBound {
            let asked = MonotonicClock.now
            let page: RecordPage
            do throws(ClientError) {
                page = try await client.read(
                    from: .index(next), limit: self.page,
                    waitMilliseconds: self.isFollowing ? Self.waitMilliseconds : 0,
                    consistency: .committed)
            } catch {
                throw CommandFailure(error)
            }
            part.recordCount += page.records.count
            part.byteCount += page.records.reduce(0) { $0 + $1.record.key.count + $1.record.value.count }
            // A page that was waited for tells how long nobody appended.
            if !page.records.isEmpty { part.latencies.record(MonotonicClock.now - asked) }
            next = page.next
        }
        part.seconds = Double(MonotonicClock.now - began) / 1e9
        await client.shutdown()
        return part
    }
}
