import Glibc
import HoldfastClient
import LogModel

/// Makes mishaps happen, and waits until the cluster has got over each.
struct MishapMaker {
    private static let patience = Duration.seconds(90)
    private static let pauseMilliseconds: ClosedRange<UInt64> = 200...3_000

    /// The members.
    let cluster: LocalCluster
    /// A node that comes and goes.
    let spare: LocalCluster.Node
    /// All of them.
    let everybody: LocalCluster
    let client: HoldfastClient
    let beginning: LogBeginning
    /// What the load adds to each node's log in a second.
    let bytesPerSecond: Int

    /// - Parameters:
    ///   - spare: Configured, blank and not running.
    ///   - bytesPerSecond: What the load adds to each node's log.
    init(_ cluster: LocalCluster, spare: LocalCluster.Node, _ beginning: LogBeginning, bytesPerSecond: Int) {
        self.beginning = beginning
        self.bytesPerSecond = bytesPerSecond
        self.cluster = cluster
        self.spare = spare
        self.everybody = LocalCluster(directory: cluster.directory, nodes: cluster.nodes + [spare])
        self.client = cluster.client(timeoutMilliseconds: 10_000)
    }

    /// - Returns: Once every member is level and whole again; `false` when it could not be made to happen.
    func make(_ mishap: Mishap, _ random: inout some RandomNumberGenerator) async throws -> Bool {
        var hasHappened = true
        let leader = try await self.leader()
        let followers = self.cluster.nodes.filter { $0.number != leader.number }
        let follower = followers.randomElement(using: &random) ?? leader
        let anybody = self.cluster.nodes.randomElement(using: &random) ?? leader
        switch mishap {
        case .leaderKilled: try await self.killAndStart([leader])
        case .followerKilled: try await self.killAndStart([follower])
        case .allKilled: try await self.killAndStart(self.cluster.nodes)
        case .restarted: try await self.restart(anybody)
        case .rolling:
            for node in self.cluster.nodes {
                try await self.restart(node)
                try await self.settle()
            }
        case .paused:
            let milliseconds = UInt64.random(in: Self.pauseMilliseconds, using: &random)
            try self.cluster.signal(anybody, SIGSTOP)
            try await Task.sleep(for: .milliseconds(milliseconds))
            try self.cluster.signal(anybody, SIGCONT)
        case .handedOver:
            try await self.insist("a handover") { () throws(ClientError) in
                _ = try await self.client.transferLeadership(to: follower.number)
            }
        case .damagedStopped:
            let place = try await self.somewhere(in: follower, &random)
            try await self.cluster.kill(follower)
            let change = try place.flip()
            try self.cluster.start(follower)
            try await self.settle(isDamageAllowed: true)
            try await self.readAll(follower)
            try await self.waitForRepair(of: follower, place, change)
        case .damagedRunning:
            let place = try await self.somewhere(in: anybody, &random)
            let change = try place.flip()
            try await self.readAll(anybody)
            try await self.waitForRepair(of: anybody, place, change)
        case .diskLost: try await self.replace(follower)
        case .grown: try await self.growAndShrink()
        case .trimmed: try await self.trim(&random)
        case .leaderDiskFull: hasHappened = try await self.fillLeaderDisk(anybody)
        case .followerDiskFull: try await self.fillFollowerDisk(anybody)
        }
        try await self.settle()
        return hasHappened
    }

    // MARK: Processes

    private func killAndStart(_ nodes: [LocalCluster.Node]) async throws {
        for node in nodes { try await self.cluster.kill(node) }
        for node in nodes { try self.cluster.start(node) }
    }

    private func restart(_ node: LocalCluster.Node) async throws {
        await self.cluster.stop(node)
        try self.cluster.start(node)
    }

    /// A byte of a sealed segment, once there is one: what is being written may be overwritten before anybody looks.
    private func somewhere(
        in node: LocalCluster.Node, _ random: inout some RandomNumberGenerator
    ) async throws -> CorruptionPlace {
        let directory = self.cluster.dataDirectory(node)
        let deadline = ContinuousClock.now + Self.patience
        while true {
            let sealed = Files.names(in: directory).filter { $0.hasSuffix(".wal") }.dropLast()
            if let name = sealed.randomElement(using: &random), let segment = UInt32(name.dropLast(4)) {
                return try CorruptionPlace(directory, segment: segment, offset: nil)
            }
            guard ContinuousClock.now < deadline else {
                throw CommandFailure(.refused, "\(node.name) has no sealed segment yet", next: "a higher --rate")
            }
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    /// Whoever reads there finds damage; scrubbing would, too, within an hour.
    private func readAll(_ node: LocalCluster.Node) async throws {
        let last = (try? await self.client.status(of: node.client))?.lastIndex ?? 0
        // It may be refused: that is how damage shows.
        _ = try? await SoakReader.read(node, from: self.beginning.first, through: last, self.client)
    }

    /// A copy of the segment takes the place of one that was damaged; what a start finds behind the last byte that it can vouch for
    /// is cut off, and shipped again. Either way the byte is the old one at its old place.
    private func waitForRepair(
        of node: LocalCluster.Node, _ place: CorruptionPlace, _ change: CorruptionPlace.Change
    ) async throws {
        let deadline = ContinuousClock.now + Self.patience
        while place.byte != change.before {
            guard ContinuousClock.now < deadline else {
                throw CommandFailure(
                    .refused, "\(node.name) was not repaired within \(Self.patience.seconds.rounded(0)) s")
            }
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    // MARK: Members

    private func replace(_ node: LocalCluster.Node) async throws {
        try await self.cluster.kill(node)
        Files.remove(self.cluster.dataDirectory(node))
        try self.cluster.start(node)
        try await self.insist("\(node.name) to be replaced") { () throws(ClientError) in
            _ = try await self.client.addMember(node.number, replacing: node.number)
        }
    }

    private func growAndShrink() async throws {
        Files.remove(self.everybody.dataDirectory(self.spare))
        try self.everybody.start(self.spare)
        try await self.insist("\(self.spare.name) to be added") { () throws(ClientError) in
            _ = try await self.client.addMember(self.spare.number, peer: self.spare.peer, client: self.spare.client)
        }
        try await self.settle(isGrown: true)
        try await self.insist("\(self.spare.name) to be removed") { () throws(ClientError) in
            _ = try await self.client.removeMember(self.spare.number)
        }
        try await self.settle()
        await self.everybody.stop(self.spare)
    }

    /// Asks again while elections and other changes pass.
    func insist(_ what: String, _ ask: () async throws(ClientError) -> Void) async throws {
        let deadline = ContinuousClock.now + Self.patience
        while true {
            do throws(ClientError) { return try await ask() } catch {
                guard error.passes, ContinuousClock.now < deadline else { throw CommandFailure(error) }
            }
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    // MARK: Getting over it

    func leader() async throws -> LocalCluster.Node {
        try await self.cluster.waitForLeader(milliseconds: UInt64(Self.patience.milliseconds))
        return try await self.cluster.leader()
    }

    /// Waits until one leads, everybody votes, has what was committed when the wait began and nothing before the beginning
    /// of the log, and nothing is damaged.
    ///
    /// - Parameters:
    ///   - isGrown: With the spare node.
    ///   - isDamageAllowed: Nobody may have found it yet.
    func settle(isGrown: Bool = false, isDamageAllowed: Bool = false) async throws {
        let wanted = isGrown ? self.everybody : self.cluster
        let deadline = ContinuousClock.now + Self.patience
        var target: UInt64?
        while true {
            let picture = await self.beginning.look(at: wanted, self.client)
            if let leader = picture.leader, leader.isReady {
                let index = target ?? leader.lastIndex
                target = index
                let lacking = self.lacking(picture, through: index, by: leader, isDamageAllowed)
                if lacking.isEmpty { return }
                guard ContinuousClock.now < deadline else {
                    throw CommandFailure(
                        .refused, "after \(Self.patience.seconds.rounded(0)) s: \(lacking.joined(separator: "; "))")
                }
            } else if ContinuousClock.now >= deadline {
                throw CommandFailure(.refused, "nobody leads after \(Self.patience.seconds.rounded(0)) s")
            }
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    /// What each node lacks, in words.
    private func lacking(
        _ picture: LocalPicture, through index: UInt64, by leader: ClusterStatus, _ isDamageAllowed: Bool
    ) -> [String] {
        let voters = Set(leader.nodes.filter { $0.membership == .voter }.map(\.node))
        let first = self.beginning.first.rawValue
        var lacking = voters.count == picture.nodes.count ? [] : ["\(voters.count) nodes vote"]
        for node in picture.nodes {
            guard let status = node.status else {
                lacking.append("\(node.node.name) does not answer")
                continue
            }
            if !voters.contains(status.node) { lacking.append("\(node.node.name) does not vote") }
            if status.lastIndex < index { lacking.append("\(node.node.name) is at \(status.lastIndex) of \(index)") }
            if status.firstIndex < first {
                lacking.append("\(node.node.name) begins at \(status.firstIndex), and not at \(first)")
            }
            guard !isDamageAllowed, let health = status.health else { continue }
            if !health.mayVote { lacking.append("\(node.node.name) may not vote") }
            if !health.damagedSegments.isEmpty { lacking.append("\(node.node.name) is damaged") }
        }
        return lacking
    }
}
