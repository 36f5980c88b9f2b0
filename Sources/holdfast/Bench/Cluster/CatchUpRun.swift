import Foundation
import HoldfastClient

/// One follower that was away, and comes level.
struct CatchUpRun {
    /// Bytes of each record whose append is timed.
    static let probeByteCount = 100
    /// Callers that fill the log, each with a connection of its own.
    private static let fillers = 8
    private static let fillMilliseconds: UInt64 = 250
    /// Appends are timed in windows of this length.
    private static let windowMilliseconds: UInt64 = 250
    private static let windowsBefore = 8
    private static let patience = Duration.seconds(600)

    var cluster: LocalCluster
    /// What is appended while the follower is away.
    var byteCount: Int
    var recordByteCount: Int
    var clients: Int

    struct Findings: Sendable {
        var catchUp = ClusterBenchRun()
        var copy = ClusterBenchRun()
        var before = ClusterBenchRun()
        var meanwhile = ClusterBenchRun()
    }

    func measure() async throws -> Findings {
        var findings = Findings()
        let leader = try await self.cluster.leader()
        guard let follower = self.cluster.nodes.first(where: { $0.number != leader.number }) else {
            throw CommandFailure(.refused, "there is no follower")
        }
        let client = self.cluster.client(timeoutMilliseconds: 10_000)
        await self.cluster.stop(follower)
        let held = try await self.logByteCount(of: leader, client)
        let first = try await self.status(of: leader, client).lastIndex
        try await self.fill(leader, client, to: held + self.byteCount)

        findings.before = try await self.appends(at: leader) { $0 < Self.windowsBefore }
        let target = try await self.status(of: leader, client)
        let behind = try await self.logByteCount(of: leader, client) - held
        let before = try await WireCount(of: leader.client, client)
        let (caughtUp, usages) = try await UsageWatch.during(self.cluster) {
            let started = ContinuousClock.now
            try self.cluster.start(follower)
            async let appends = self.appends(at: leader) { _ in
                (try? await client.status(of: follower.client))?.lastIndex ?? 0 < target.lastIndex
            }
            try await self.waitUntil(follower, has: target.lastIndex, client)
            let seconds = started.duration(to: .now).seconds
            let after = try await WireCount(of: leader.client, client)
            return (
                seconds: seconds, wire: after.bytesPerSecond(since: before, to: follower.number),
                share: after.share(since: before, to: follower.number), meanwhile: try await appends
            )
        }
        findings.catchUp.bytesPerSecond = Double(behind) / caughtUp.seconds
        findings.catchUp.recordsPerSecond = Double(target.lastIndex - first) / caughtUp.seconds
        findings.catchUp.wireBytesPerSecond = caughtUp.wire
        findings.catchUp.wireShare = caughtUp.share
        findings.catchUp.usages = usages
        findings.meanwhile = caughtUp.meanwhile
        findings.copy.bytesPerSecond = try self.copy(self.cluster.dataDirectory(leader))
        await client.shutdown()
        return findings
    }

    /// Appends until the log is so long.
    private func fill(_ leader: LocalCluster.Node, _ client: HoldfastClient, to byteCount: Int) async throws {
        let load = AppendLoad(
            server: leader.client, access: self.cluster.access, clients: Self.fillers, inFlight: 4,
            size: self.recordByteCount,
            warmUpMilliseconds: 0, durationMilliseconds: Self.fillMilliseconds)
        let deadline = ContinuousClock.now + Self.patience
        while try await self.logByteCount(of: leader, client) < byteCount {
            let result = await load.run()
            guard result.failureCount == 0 else {
                throw CommandFailure(.refused, "an append was refused: \(result.failure ?? "")")
            }
            guard ContinuousClock.now < deadline else {
                throw CommandFailure(.refused, "the log did not grow to \(byteCount) bytes in \(Self.patience)")
            }
        }
    }

    /// Small appends at the leader, window after window.
    ///
    /// - Parameter goesOn: Asked before each window, with how many there were.
    private func appends(
        at leader: LocalCluster.Node, while goesOn: (Int) async -> Bool
    ) async throws -> ClusterBenchRun {
        let load = AppendLoad(
            server: leader.client, access: self.cluster.access, clients: self.clients, inFlight: 1,
            size: Self.probeByteCount,
            warmUpMilliseconds: 20, durationMilliseconds: Self.windowMilliseconds)
        var windows: [AppendLoad.Result] = []
        repeat { windows.append(await load.run()) } while await goesOn(windows.count)
        return ClusterBenchRun(windows, size: Self.probeByteCount)
    }

    private func waitUntil(_ follower: LocalCluster.Node, has index: UInt64, _ client: HoldfastClient) async throws {
        let deadline = ContinuousClock.now + Self.patience
        while (try? await client.status(of: follower.client))?.lastIndex ?? 0 < index {
            guard self.cluster.process(follower) != nil, ContinuousClock.now < deadline else {
                throw CommandFailure(
                    .refused, "\(follower.name) does not come level: \(self.cluster.lastWords(follower))")
            }
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    private func status(
        of node: LocalCluster.Node, _ client: HoldfastClient
    ) async throws(CommandFailure) -> ClusterStatus {
        do throws(ClientError) { return try await client.status(of: node.client) } catch { throw CommandFailure(error) }
    }

    /// Bytes of the segments through the tail that a node tells.
    private func logByteCount(of node: LocalCluster.Node, _ client: HoldfastClient) async throws -> Int {
        let status = try await self.status(of: node, client)
        let parts = status.tail.split(separator: ":").compactMap { Int($0) }
        guard parts.count == 2 else { throw CommandFailure(.system, "\(node.name) has no tail: \(status.tail)") }
        let directory = self.cluster.dataDirectory(node)
        return Files.segments(in: directory).filter { $0.number < parts[0] }
            .reduce(parts[1]) { $0 + Files.byteCount("\(directory)/\($1.name)") }
    }

    /// What the same disk does with the same files and nothing in between.
    ///
    /// - Returns: Bytes per second.
    private func copy(_ directory: String) throws -> Double {
        let target = "\(self.cluster.directory)/copy"
        try Files.makeDirectory(target)
        defer { Files.remove(target) }
        let files = Files.segments(in: directory).map { "\(directory)/\($0.name)" }
        let byteCount = files.reduce(0) { $0 + Files.byteCount($1) }
        let started = ContinuousClock.now
        for (program, arguments) in [("cp", files + [target]), ("sync", ["-f", target])] {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            process.arguments = [program] + arguments
            try process.run()
            process.waitUntilExit()
            guard process.terminationStatus == 0 else { throw CommandFailure(.system, "\(program) failed") }
        }
        return Double(byteCount) / started.duration(to: .now).seconds
    }
}

extension Files {
    /// The segment files of a data directory, in order.
    fileprivate static func segments(in directory: String) -> [(number: Int, name: String)] {
        self.names(in: directory).compactMap { name in
            guard name.hasSuffix(".wal"), let number = Int(name.dropLast(".wal".count)) else { return nil }
            return (number, name)
        }
    }

    fileprivate static func byteCount(_ path: String) -> Int {
        ((try? FileManager.default.attributesOfItem(atPath: path))?[.size] as? Int) ?? 0
    }
}
