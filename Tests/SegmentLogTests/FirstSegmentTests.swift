import DiskIO
import LogModel
import SegmentFormat
import Simulation
import Testing

@testable import SegmentLog

/// A log that is given up for a copy of a peer's first segment.
@Suite struct `First segments` {
    /// A peer's log, of which the beginning could have been trimmed.
    struct Peer {
        let log: EngineHarness
        let file: SegmentFile
        /// What stands in the segment.
        let values: [String]
        let firstIndex: LogIndex

        init(segment: SegmentID = SegmentID(2)) throws {
            self.log = try EngineHarness()
            try self.log.fill(90, prefix: "new")
            try self.log.writer.sync()
            let summaries = self.log.store.segments
            self.file = try self.log.store.sealedFile(segment, committedThrough: self.log.tail)
            self.firstIndex = try #require(summaries.first { $0.id == segment }).firstIndex
            let next = try #require(summaries.first { $0.id == segment.next }).firstIndex
            let places = Int(self.firstIndex.rawValue - 1)..<Int(next.rawValue - 1)
            self.values = Array(try self.log.values()[places])
        }

        var bytes: [UInt8] { get throws { Array(try self.file.read(0..<self.file.byteCount)) } }

        /// Writes the segment's bytes, in pieces, into a copy.
        func fill(_ copy: consuming FirstSegmentCopy) throws(LogError) -> FirstSegmentCopy {
            var copy = copy
            for start in stride(from: 0, to: self.file.byteCount, by: 1_500) {
                try copy.write(try self.file.read(start..<min(start + 1_500, self.file.byteCount)))
            }
            return copy
        }
    }

    /// With an old log that ends before the copy, and with one that has other segments of these numbers.
    @Test(arguments: [10, 75]) func `the log begins with the copy, votes stand, and appends go on`(count: Int) throws {
        let peer = try Peer()
        let old = try EngineHarness()
        try old.fill(count, prefix: "old")
        try old.opened.votes?.store(term: Term(9), vote: Member(node: NodeID(3), incarnation: Incarnation(7)))
        try old.writer.sync()
        try old.writer.giveUp(for: try peer.fill(try old.store.firstSegmentCopy(of: peer.file.segment)).verified())
        #expect(throws: LogError.closed) { try old.append("too late") }
        let log = try EngineHarness(old.disk)
        #expect(try log.values() == peer.values)
        #expect(log.store.firstIndex == peer.firstIndex)
        #expect(log.store.segments.map(\.id) == [peer.file.segment])
        #expect(log.opened.commit == log.tail && log.opened.mayVote)
        let vote = StoredVote.known(term: Term(9), vote: Member(node: NodeID(3), incarnation: Incarnation(7)))
        #expect(log.opened.votes?.current == vote)
        let bytes = try #require(old.disk.contents(of: EngineHarness.path(peer.file.segment.fileName)))
        let copied = try peer.bytes
        let isSame = bytes.prefix(peer.file.byteCount) == copied[...]
        #expect(isSame)
        try log.append("after")
        try log.writer.close()
        #expect(try EngineHarness(old.disk).values() == peer.values + ["after"])
    }

    @Test func `a blank directory begins with the copy as well, and belongs to its cluster then`() throws {
        let peer = try Peer()
        let disk = SimulatedFileSystem()
        let blank = try EngineHarness.open(disk)
        let copy = try peer.fill(try blank.firstSegmentCopy(of: peer.file.segment, cluster: EngineHarness.cluster))
        try blank.begin(with: try copy.verified())
        let log = try EngineHarness(disk)
        #expect(try log.values() == peer.values)
        #expect(log.opened.identity.cluster == EngineHarness.cluster)
        #expect(log.opened.identity.starts == 2 && log.opened.mayVote)
    }

    @Test func `a copy that was not decided on is removed, and the old log is there`() throws {
        let peer = try Peer()
        let old = try EngineHarness()
        try old.append("old")
        try old.writer.sync()
        _ = try peer.fill(try old.store.firstSegmentCopy(of: peer.file.segment)).verified()
        old.disk.killProcess()
        let log = try EngineHarness(old.disk)
        #expect(try log.values() == ["old"])
        #expect(try old.disk.list(EngineHarness.directory).allSatisfy { !$0.contains("first") })
    }

    // MARK: Copies that are refused

    @Test func `a copy with any bit wrong is refused`() throws {
        let peer = try Peer()
        let log = try EngineHarness()
        let bytes = try peer.bytes
        for bit in stride(from: 0, to: bytes.count * 8, by: 101) {
            var damaged = bytes
            damaged[bit / 8] ^= 1 << (bit % 8)
            var copy = try log.store.firstSegmentCopy(of: peer.file.segment)
            try copy.write(damaged[...])
            #expect(throws: LogError.self, "bit \(bit)") { try copy.verified() }
        }
    }

    @Test func `a copy that ends within a frame, of another segment or another cluster is refused by name`() throws {
        let peer = try Peer()
        let log = try EngineHarness()
        var short = try log.store.firstSegmentCopy(of: peer.file.segment)
        try short.write(try peer.bytes.dropLast(1))
        #expect { try short.verified() } throws: { if case LogError.rejected = $0 { true } else { false } }
        let other = try peer.fill(try log.store.firstSegmentCopy(of: SegmentID(3)))
        #expect { try other.verified() } throws: { if case LogError.rejected = $0 { true } else { false } }
        let blank = try EngineHarness.open(SimulatedFileSystem())
        let foreign = ClusterID(high: 1, low: 2)
        let copy = try peer.fill(try blank.firstSegmentCopy(of: peer.file.segment, cluster: foreign))
        #expect(throws: LogError.foreignDirectory(.cluster(found: EngineHarness.cluster, expected: foreign))) {
            try copy.verified()
        }
    }

    // MARK: Crashes

    @Test(arguments: [0, 10, 75]) func `every crash leaves the old log or the new one, never a mix`(
        count: Int
    ) async throws {
        let exploration = try await HeavyWork.run {
            let run = try SwapRun(count: count, peer: Peer())
            return run.explore()
        }
        print("first segment over \(count) values: \(exploration)")
        #expect(exploration.momentCount > 20)
        #expect(exploration.faults == [])
    }

    @Test(arguments: [DiskOperation.sync, .syncDirectory]) func `a swap that forgot to sync would be found out`(
        _ operation: DiskOperation
    ) async throws {
        let exploration = try await HeavyWork.run {
            let run = try SwapRun(count: 10, peer: Peer(), lie: operation)
            return run.explore()
        }
        #expect(!exploration.faults.isEmpty)
    }
}

/// A swap on a disk that records each step.
private struct SwapRun {
    let old: [String]?
    let peer: `First segments`.Peer
    let moments: [DiskMoment]
    /// From this step on the new log must be there.
    let decidedAt: Int

    /// - Parameter count: Values of the old log; 0 is a blank directory.
    init(count: Int, peer: `First segments`.Peer, lie: DiskOperation? = nil) throws {
        self.peer = peer
        let disk = SimulatedFileSystem()
        if count == 0 {
            let blank = try EngineHarness.open(disk)
            self.old = nil
            disk.startRecording()
            let copy = try blank.firstSegmentCopy(of: peer.file.segment, cluster: EngineHarness.cluster)
            try blank.begin(with: try peer.fill(copy).verified())
        } else {
            let log = try EngineHarness(disk)
            try log.fill(count, prefix: "old")
            try log.opened.votes?.store(term: Term(9), vote: nil)
            try log.writer.sync()
            self.old = try log.values()
            disk.startRecording()
            if let lie { disk.lie(about: lie) }
            let copy = try log.store.firstSegmentCopy(of: peer.file.segment)
            try log.writer.giveUp(for: try peer.fill(copy).verified())
        }
        self.decidedAt = disk.counts.steps
        _ = try EngineHarness(disk)
        self.moments = disk.takeRecording()
    }

    func explore() -> Exploration {
        var explorer = CrashExplorer<SwapFinding>(`Crashes`.isFull ? .full : .quick)
        var exploration = Exploration()
        let start = ContinuousClock.now
        explorer.explore(self.moments) {
            SwapFinding($0)
        } judge: { crash, finding in
            if let fault = self.fault(in: finding, after: crash) {
                exploration.faults.append("\(crash.description): \(fault)")
            }
        }
        exploration.momentCount = explorer.momentCount
        exploration.crashCount = explorer.caseCount
        exploration.diskCount = explorer.diskCount
        exploration.duration = ContinuousClock.now - start
        return exploration
    }

    private func fault(in finding: SwapFinding, after crash: CrashCase) -> String? {
        if let problem = finding.problem { return problem }
        let isNew = finding.values == self.peer.values && finding.firstIndex == self.peer.firstIndex
        guard isNew || finding.values == self.old else { return "neither log: \(finding.values?.count ?? 0) values" }
        if crash.completedSteps >= self.decidedAt, !isNew { return "the old log is back" }
        if self.old != nil, finding.vote != .known(term: Term(9), vote: nil) { return "the vote is lost" }
        return nil
    }
}

/// What a directory turned out to hold after a crash in a swap.
private struct SwapFinding {
    /// `nil` for a blank directory.
    var values: [String]?
    var firstIndex: LogIndex?
    var vote: StoredVote?
    var problem: String?

    init(_ disk: SimulatedFileSystem) {
        do {
            let opened = try EngineHarness.open(disk)
            self.vote = opened.votes?.current
            if !opened.mayVote { self.problem = "barred from voting" }
            if !opened.report.setAside.isEmpty { self.problem = "set aside: \(opened.report.setAside)" }
            guard let store = opened.store, let writer = opened.writer else { return }
            let values = try EngineHarness.values(store)
            self.values = values
            self.firstIndex = store.firstIndex
            let files = LogFiles.segments(in: try disk.list(EngineHarness.directory))
            if files != store.segments.map(\.id) { self.problem = "files of segments \(files)" }
            try writer.close()
            let log = try EngineHarness(disk)
            try log.append("after")
            try log.writer.sync()
            disk.cutPower(.losesAll)
            if try EngineHarness(disk).values() != values + ["after"] { self.problem = "appends did not go on" }
        } catch {
            self.problem = "\(error)"
        }
    }
}
