import HoldfastClient
import LogModel

/// A node's disk is full for a while: nothing is lost, the others go on, and it goes on itself once there is room.
extension MishapMaker {
    /// For the segments that a node keeps ready, beside what it holds; and what the load adds meanwhile.
    private var roomToStart: Int { (8 << 20) + self.roomForLoad }
    /// Less than any segment.
    private static let roomWhenFull = 256 << 10
    private var roomToHeal: Int { (32 << 20) + self.roomForLoad }
    private var roomForLoad: Int { self.bytesPerSecond * Self.loadSeconds }
    /// Until a node has started and is level, or has healed and is stopped: a few seconds, and several times that.
    private static let loadSeconds = 30
    /// More than that in memory is not asked for.
    private static let roomForLoadMax = 128 << 20
    private static let leaderAttempts = 5
    /// What the figures promise is 5 s; the machine may be busy with other things, too.
    private static let healing = Duration.seconds(10)
    /// More than what is left of a segment, the one behind it and the reserve.
    private static let batchesToFill = 96
    private static let batch = LoadData.random.records(64, byteCount: 1_000).map { Record(value: $0[...]) }

    /// Whether a disk in memory has room for what a load adds while it is there.
    static func canFillDisks(bytesPerSecond: Int) -> Bool { bytesPerSecond * Self.loadSeconds <= Self.roomForLoadMax }

    /// - Returns: `false` when another node came to lead each time before this one had no room left.
    func fillLeaderDisk(_ node: LocalCluster.Node) async throws -> Bool {
        try await self.withSmallDisk(node) { disk in
            var producer = self.client.makeProducer()
            var isRefused = false
            for _ in 0..<Self.leaderAttempts where !isRefused {
                try disk.resize(room: self.roomToHeal)
                try await self.lead(node)
                try disk.resize(room: Self.roomWhenFull)
                producer = self.client.makeProducer()
                isRefused = try await self.isRefused(by: node, producer)
            }
            guard isRefused else {
                try disk.resize(room: self.roomToHeal)
                return false
            }
            for other in self.cluster.nodes { _ = try await self.lastReadable(at: other) }
            try disk.resize(room: self.roomToHeal)
            try await self.heal("\(node.name) to take appends again") { try await self.isTaken(producer) }
            return true
        }
    }

    func fillFollowerDisk(_ node: LocalCluster.Node) async throws {
        try await self.withSmallDisk(node) { disk in
            let other = self.cluster.nodes.first { $0.number != node.number }
            if try await self.leader().number == node.number, let other { try await self.lead(other) }
            try disk.resize(room: Self.roomWhenFull)
            let producer = self.client.makeProducer()
            // Nobody waits for it.
            for _ in 0..<Self.batchesToFill {
                try await self.insist("an append beside \(node.name), whose disk is full") { () throws(ClientError) in
                    try await producer.append(Self.batch)
                }
            }
            let last = try await self.lastReadable(at: self.leader())
            guard try await self.lastReadable(at: node) < last else {
                throw CommandFailure(.refused, "\(node.name) has record \(last), though its disk has no room for it")
            }
            try disk.resize(room: self.roomToHeal)
            try await self.heal("\(node.name) to come level") { try await self.lastReadable(at: node) >= last }
        }
    }

    // MARK: A disk of its own

    private func withSmallDisk<Result>(
        _ node: LocalCluster.Node, _ body: (SmallDisk) async throws -> Result
    ) async throws -> Result {
        await self.cluster.stop(node)
        let disk = try SmallDisk.moving(self.cluster.dataDirectory(node), room: self.roomToStart)
        let result: Result
        do {
            try self.cluster.start(node)
            try await self.settle()
            result = try await body(disk)
            try await self.settle()
        } catch {
            await self.cluster.stop(node)
            try? disk.moveBack()
            throw error
        }
        await self.cluster.stop(node)
        try disk.moveBack()
        try self.cluster.start(node)
        return result
    }

    private func lead(_ node: LocalCluster.Node) async throws {
        try await self.insist("\(node.name) to lead") { () throws(ClientError) in
            _ = try await self.client.transferLeadership(to: node.number)
        }
    }

    // MARK: What it does meanwhile

    /// - Returns: `false` when another node leads by now.
    private func isRefused(by node: LocalCluster.Node, _ producer: Producer) async throws -> Bool {
        for _ in 0..<Self.batchesToFill {
            do throws(ClientError) { try await producer.append(Self.batch) } catch {
                if case .refused(let problem) = error, problem.code == "NO_SPACE", problem.applied == .no {
                    return true
                }
                guard error.passes else { throw CommandFailure(error) }
            }
        }
        guard try await self.leader().number == node.number else { return false }
        throw CommandFailure(.refused, "\(node.name) takes appends, though its disk has no room for them")
    }

    private func isTaken(_ producer: Producer) async throws -> Bool {
        do throws(ClientError) { try await producer.append(Self.batch) } catch {
            if case .refused(let problem) = error, problem.code == "NO_SPACE" { return false }
            guard error.passes else { throw CommandFailure(error) }
            return false
        }
        return true
    }

    /// The last record that a node has on its disk: it may know of more that is committed.
    private func lastReadable(at node: LocalCluster.Node) async throws -> LogIndex {
        do throws(ClientError) {
            let page = try await self.client.read(from: .last(1), limit: 1, consistency: .committed, at: node.client)
            guard let last = page.records.last else { throw .badAnswer("\(node.name) has no record to read") }
            return last.index
        } catch { throw CommandFailure(error) }
    }

    private func heal(_ what: String, _ isHealed: () async throws -> Bool) async throws {
        let deadline = ContinuousClock.now + Self.healing
        while try await !isHealed() {
            guard ContinuousClock.now < deadline else {
                throw CommandFailure(
                    .refused, "waited \(Self.healing.seconds.rounded(0)) s in vain for \(what), though there is room")
            }
            try await Task.sleep(for: .milliseconds(50))
        }
    }
}
