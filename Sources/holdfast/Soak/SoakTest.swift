import Glibc
import HoldfastClient
import LogModel
import RaftCore
import SegmentLog

/// A cluster under load for as long as asked, with readers, to which everything happens that it is to survive.
///
///     load at a rate -------------------------------------------> read back, from where the log begins by then
///     readers, from the first record on -------------------------> compared with each node's log, from there on
///     mishap, got over, mishap, got over, ... -------------------> every byte of every directory checked
///     memory and descriptors, each second -----------------------> held against limits
///     at the end a quiet part, see ``QuietPart`` ----------------> nothing grows
struct SoakTest {
    private static let readerCount = 2
    private static let readersPatience = Duration.seconds(60)
    private static let recordByteCount = 128
    /// A record in the log, with its frame, at most.
    private static let storedByteCount = 256

    var cluster: LocalCluster
    var milliseconds: UInt64
    var rate: UInt64
    var producers: Int
    var seed: UInt64
    var limits: SoakReport.Limits
    var console: Console

    func run() async throws -> SoakReport {
        let (everybody, spare) = try ClusterSetup(directory: self.cluster.directory).extend(self.cluster)
        let readers = (0..<Self.readerCount).map { _ in SoakReader() }
        let tally = PacedAppendTally(producers: self.producers, followsTrims: true)
        let beginning = LogBeginning(tally, readers)
        let maker = MishapMaker(
            self.cluster, spare: spare, beginning, bytesPerSecond: Int(self.rate) * Self.storedByteCount)
        let watch = SoakWatch(everybody, beginning)
        defer { everybody.process(spare)?.signal(SIGKILL) }
        var report = SoakReport(seed: self.seed, limits: self.limits)
        let quiet = QuietPart(of: self.milliseconds)
        let load = self.load(milliseconds: self.milliseconds - (quiet?.milliseconds ?? 0))
        let omitted = self.omitted(maker)
        report.omitted = omitted.map(\.rawValue).sorted()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await watch.run() }
            for reader in readers {
                let client = self.cluster.client(timeoutMilliseconds: 20_000)
                group.addTask {
                    // Cancelled at the end, if nothing ends it before.
                    let ended = await reader.follow(client)
                    await client.shutdown()
                    try ended.get()
                }
            }
            async let loaded = load.append(into: tally)
            (report.mishaps, report.missed) = try await self.happen(
                maker, without: omitted, milliseconds: load.milliseconds)
            report.load = try await loaded
            report.limits.unknownCount = self.producers * report.count(of: .leaderDiskFull)
            try await maker.settle()
            let quietTally = PacedAppendTally(producers: self.producers)
            if let quiet {
                self.console.note("\(quiet.milliseconds / 1000) s of load, in which nothing happens")
                report.quiet = try await quiet.run(like: load, into: quietTally, watch)
                try await maker.settle()
            }
            report.load.findings = try await load.readBack(tally, from: beginning.first, maker.client)
            if report.quiet != nil {
                let findings = try await load.readBack(quietTally, from: beginning.first, maker.client)
                report.quiet?.load.findings = findings
            }
            try await self.check(&report, readers, maker)
            watch.look()
            report.usages = watch.usages
            group.cancelAll()
        }
        await maker.client.shutdown()
        await self.cluster.down()
        report.damaged = try self.damagedDirectories()
        return report
    }

    private func load(milliseconds: UInt64) -> PacedAppendRun {
        PacedAppendRun(
            servers: self.cluster.servers, access: self.cluster.access,
            schedule: PacedSchedule(rate: self.rate, callers: self.producers, milliseconds: milliseconds),
            milliseconds: milliseconds, connections: self.producers, size: Self.recordByteCount, data: .random,
            isVerified: false, console: Console(isQuiet: true))
    }

    private func omitted(_ maker: MishapMaker) -> Set<Mishap> {
        guard SmallDisk.isAllowed(under: self.cluster.directory) else {
            self.console.note("without full disks: this process may not mount a file system")
            return Mishap.ofDisks
        }
        guard MishapMaker.canFillDisks(bytesPerSecond: maker.bytesPerSecond) else {
            self.console.note("without full disks: at \(self.rate) appends a second they would take too much memory")
            return Mishap.ofDisks
        }
        return []
    }

    /// One mishap after the other while the load lasts.
    ///
    /// - Returns: How often each happened, and how often one could not be made to.
    private func happen(
        _ maker: MishapMaker, without omitted: Set<Mishap>, milliseconds: UInt64
    ) async throws -> (made: [SoakReport.Count], missed: [SoakReport.Count]) {
        let began = ContinuousClock.now
        let end = began + .milliseconds(milliseconds)
        var random = SplitMix64(seed: self.seed)
        var counts: [Mishap: Int] = [:]
        var missed: [Mishap: Int] = [:]
        var coming: [Mishap.Turn] = []
        while ContinuousClock.now < end {
            if coming.isEmpty { coming = Mishap.round(without: omitted, &random) }
            let turn = coming.removeLast()
            let mishap = turn.mishap
            var details = SplitMix64(seed: turn.seed)
            let seconds = began.duration(to: .now).seconds.rounded(0)
            self.console.progress("\(seconds) s: \(counts.values.reduce(0, +)) mishaps; \(mishap.rawValue)")
            let hasHappened: Bool
            do { hasHappened = try await maker.make(mishap, &details) } catch let failure as CommandFailure {
                throw CommandFailure(
                    .refused, "not got over after \(seconds) s, \(mishap.rawValue): \(failure.what)",
                    next: "again with --seed \(self.seed); keep the nodes' logs")
            }
            if hasHappened { counts[mishap, default: 0] += 1 } else { missed[mishap, default: 0] += 1 }
        }
        self.console.endProgress()
        func told(_ counts: [Mishap: Int]) -> [SoakReport.Count] {
            Mishap.allCases.compactMap { mishap in
                counts[mishap].map { SoakReport.Count(mishap: mishap.rawValue, count: $0) }
            }
        }
        return (told(counts), told(missed))
    }

    // MARK: Checking

    private func check(_ report: inout SoakReport, _ readers: [SoakReader], _ maker: MishapMaker) async throws {
        self.console.note("reading the whole log of every node")
        let picture = await self.cluster.look(maker.client)
        let last = picture.leader?.lastIndex ?? 0
        let first = maker.beginning.first
        report.firstIndex = first.rawValue
        report.records = last + 1 - min(first.rawValue, last + 1)
        report.retreats = maker.beginning.retreats
        for node in picture.nodes where node.status?.firstIndex != first.rawValue {
            report.retreats.append("\(node.node.name) does not begin where the last trim said")
        }
        for node in self.cluster.nodes {
            let seen = try await SoakReader.read(node, from: first, through: last, maker.client)
            report.logs.append(.init(name: node.name, seen))
        }
        let deadline = ContinuousClock.now + Self.readersPatience
        while readers.contains(where: { $0.position.next.rawValue <= last }), ContinuousClock.now < deadline {
            try await Task.sleep(for: .milliseconds(20))
        }
        for (number, reader) in readers.enumerated() {
            report.logs.append(.init(name: "reader \(number + 1)", reader.position))
        }
    }

    /// Of the nodes, which are stopped.
    private func damagedDirectories() throws -> [String] {
        self.console.note("checking every byte of every data directory")
        return try self.cluster.nodes.compactMap { node in
            let directory = self.cluster.dataDirectory(node)
            let report: AuditReport
            do throws(LogError) { report = try LogAudit.run(.init(directory), isRunning: false) } catch {
                throw CommandFailure(.system, "\(directory): \(error)")
            }
            return VerifyDocument(directory, report, openedBy: nil, seconds: 0).damaged ? node.name : nil
        }
    }
}
