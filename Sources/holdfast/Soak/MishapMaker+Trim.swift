import HoldfastClient
import LogModel

/// The log loses its beginning while everybody reads and appends.
extension MishapMaker {
    private static let segmentsPatience = Duration.seconds(20)
    private static let readerPatience = Duration.seconds(20)
    /// The newest sealed segment and the active one stay in any case.
    private static let segmentsKept = 2

    /// Trims as far as a random record; whoever then stands below is told so by every node, and reads on where the log
    /// begins.
    func trim(_ random: inout some RandomNumberGenerator) async throws {
        let before = try await self.status(of: self.leader()).firstIndex
        try await self.waitForSegments()
        let last = try await self.status(of: self.leader()).lastIndex
        let index = LogIndex(.random(in: max(before, last / 2)...max(before, last), using: &random))
        var receipt: TrimReceipt?
        try await self.insist("a trim") { () throws(ClientError) in
            receipt = try await self.client.trim(before: index)
        }
        guard let first = receipt?.firstIndex else { return }
        guard first <= index else {
            throw CommandFailure(.refused, "a trim before \(index) took away records up to \(first)")
        }
        self.beginning.trimmed(to: first)
        try await self.settle()
        guard first.rawValue > before else { return }
        for node in self.cluster.nodes { try await self.expectTrimmed(before, first, on: node) }
        try await self.expectToGoOn(from: before, at: first)
    }

    /// Until there is something to trim, or the load is too slow for that.
    private func waitForSegments() async throws {
        let deadline = ContinuousClock.now + Self.segmentsPatience
        let directory = try await self.cluster.dataDirectory(self.leader())
        while Files.names(in: directory).count(where: { $0.hasSuffix(".wal") }) <= Self.segmentsKept,
            ContinuousClock.now < deadline
        {
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    private func status(of node: LocalCluster.Node) async throws -> ClusterStatus {
        do throws(ClientError) { return try await self.client.status(of: node.client) } catch {
            throw CommandFailure(error)
        }
    }

    /// - Parameters:
    ///   - below: A record that was there before.
    ///   - first: The first that is left.
    private func expectTrimmed(_ below: UInt64, _ first: LogIndex, on node: LocalCluster.Node) async throws {
        for index in [below, first.rawValue - 1] {
            do throws(ClientError) {
                _ = try await self.client.read(
                    from: .index(LogIndex(index)), limit: 1, consistency: .committed, at: node.client)
            } catch .trimmed(let told) where told == first { continue } catch { throw CommandFailure(error) }
            throw CommandFailure(.refused, "\(node.name) still has record \(index), though the log begins at \(first)")
        }
        do throws(ClientError) {
            let page = try await self.client.read(
                from: .index(first), limit: 1, consistency: .committed, at: node.client)
            guard page.records.first?.index == first else {
                throw ClientError.badAnswer("\(node.name) does not begin at \(first)")
            }
        } catch { throw CommandFailure(error) }
    }

    /// A reader that was away stands below: it is told so once, and follows from where the log begins.
    private func expectToGoOn(from below: UInt64, at first: LogIndex) async throws {
        let reader = SoakReader(from: LogIndex(below))
        let client = self.cluster.client(timeoutMilliseconds: 10_000)
        let following = Task { await reader.follow(client) }
        let deadline = ContinuousClock.now + Self.readerPatience
        while reader.position.next <= first, ContinuousClock.now < deadline {
            try await Task.sleep(for: .milliseconds(20))
        }
        following.cancel()
        _ = await following.value
        await client.shutdown()
        let seen = reader.position
        guard seen.trimCount == 1, seen.outOfTurn == 0, seen.first == first, seen.next > first else {
            throw CommandFailure(
                .refused,
                "a reader at record \(below) did not go on at \(first), where the log begins: it was told of "
                    + "\(seen.trimCount.counted("trim")), and is at \(seen.next)")
        }
    }
}
