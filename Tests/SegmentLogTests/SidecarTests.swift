import DiskIO
import LogModel
import SegmentFormat
import Simulation
import SystemPackage
import Testing

@testable import SegmentLog

@Suite struct `The small files beside the segments` {
    private let identity = NodeIdentity(
        cluster: EngineHarness.cluster, node: NodeID(3), incarnation: Incarnation(0x1234), generation: 1, starts: 17,
        lives: [Life(0x4b), Life(0x8d)])

    @Test func `IDENTITY is text that never changes`() {
        let text = """
            holdfast identity 1
            cluster 112233445566778899aabbccddeeff00
            node 3
            incarnation 0000000000001234
            generation 1
            starts 17
            lives 000000000000004b 000000000000008d
            crc32c 4d607f17

            """
        #expect(String(decoding: self.identity.encoded(), as: UTF8.self) == text)
    }

    @Test func `IDENTITY survives its text, with and without a cluster`() {
        var blank = self.identity
        blank.cluster = nil
        for identity in [self.identity, blank] { #expect(NodeIdentity(decoding: identity.encoded()) == identity) }
    }

    @Test func `no flipped bit and no missing byte of IDENTITY goes unnoticed`() {
        let bytes = self.identity.encoded()
        for bit in 0..<bytes.count * 8 {
            var damaged = bytes
            damaged[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(NodeIdentity(decoding: damaged) == nil, "bit \(bit)")
        }
        for count in 0..<bytes.count { #expect(NodeIdentity(decoding: Array(bytes[..<count])) == nil, "\(count)") }
    }

    @Test func `IDENTITY counts starts, and keeps the last sixteen lives`() throws {
        var identity = self.identity
        for number in UInt64(1)...20 { identity.started(Life(number)) }
        #expect(identity.starts == 37 && identity.lives.map(\.rawValue) == (5...20).reversed())
        let bytes = identity.encoded()
        #expect(bytes.count <= NodeIdentity.byteCountMax && NodeIdentity(decoding: bytes) == identity)
    }

    @Test func `STARTS is text that never changes, and no flipped bit of it goes unnoticed`() {
        let sightings = [(2, 17, 0x4b), (1, 3, 0x8d)].map { node, starts, life in
            StartSighting(
                member: Member(node: NodeID(node), incarnation: Incarnation(0x1234)), starts: starts, life: Life(life))
        }
        let bytes = StartsFile.encode(sightings)
        let text = """
            holdfast starts 1
            node 1 incarnation 0000000000001234 starts 3 life 000000000000008d
            node 2 incarnation 0000000000001234 starts 17 life 000000000000004b
            crc32c 9a28326e

            """
        #expect(String(decoding: bytes, as: UTF8.self) == text)
        #expect(StartsFile.decode(bytes).map(Set.init) == Set(sightings))
        #expect(StartsFile.decode(StartsFile.encode([])) == [])
        for bit in 0..<bytes.count * 8 {
            var damaged = bytes
            damaged[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(StartsFile.decode(damaged) == nil, "bit \(bit)")
        }
    }

    @Test func `STARTS is kept from one opening to the next, and an unreadable one is told`() throws {
        let disk = SimulatedFileSystem()
        let sighting = StartSighting(
            member: Member(node: NodeID(2), incarnation: Incarnation(7)), starts: 3, life: Life(5))
        let opened = try EngineHarness.open(disk)
        #expect(opened.starts?.found == [])
        try opened.starts?.store([sighting])
        opened.lock.release()
        let again = try EngineHarness.open(disk)
        #expect(again.starts?.found == [sighting])
        again.lock.release()
        disk.flip(bit: 99, of: EngineHarness.path("STARTS"))
        let unreadable = try EngineHarness.open(disk)
        #expect(unreadable.starts != nil && unreadable.starts?.found == nil)
    }

    @Test func `a retired incarnation stays so, whatever it votes and however often it is opened`() throws {
        let disk = SimulatedFileSystem()
        for retirement in Retirement.allCases {
            let votes = try Self.voteFile(disk)
            try votes.store(term: Term(4), vote: nil)
            try votes.retire(retirement)
            try votes.store(term: Term(5), vote: nil)
            let again = try Self.voteFile(disk)
            #expect(again.retirement == retirement && again.current == .known(term: Term(5), vote: nil))
        }
    }

    @Test func `VOTE's bytes never change`() throws {
        let disk = SimulatedFileSystem()
        let votes = try Self.voteFile(disk)
        try votes.store(term: Term(5), vote: Member(node: NodeID(2), incarnation: Incarnation(0xfeed)))
        let bytes = try #require(disk.contents(of: EngineHarness.path("VOTE")))
        #expect(bytes.count == 8192)
        let golden = """
            4846564f 0100 0100 0200000000000000 0500000000000000 edfe000000000000 02000000
            000000000000000000000000000000000000000000000000 62d92fc3
            """.filter { !$0.isWhitespace }
        #expect(hex(bytes[..<64]) == golden)
        #expect(hex(bytes[4096..<4160]) == golden)
    }

    @Test func `a vote is there again after opening`() throws {
        let disk = SimulatedFileSystem()
        let vote = Member(node: NodeID(2), incarnation: Incarnation(7))
        #expect(try Self.voteFile(disk).current == .known(term: .zero, vote: nil))
        try Self.voteFile(disk).store(term: Term(5), vote: vote)
        #expect(try Self.voteFile(disk).current == .known(term: Term(5), vote: vote))
        try Self.voteFile(disk).store(term: Term(6), vote: nil)
        #expect(try Self.voteFile(disk).current == .known(term: Term(6), vote: nil))
    }

    @Test func `a crash while voting leaves the old vote or the new one, and a second crash no older one`() throws {
        for survival in [PowerCut.losesAll, .losesNothing, .losesSome] {
            for seed in 1...2 as ClosedRange<UInt64> {
                for first in 1...5 {
                    for second in 1...6 { try self.crashTwice(seed, survival, first, second) }
                }
            }
        }
    }

    /// Votes 1, then 2 with a crash, then 3 with a crash; a value that was seen never goes back.
    private func crashTwice(_ seed: UInt64, _ survival: PowerCut, _ first: Int, _ second: Int) throws {
        let disk = SimulatedFileSystem(seed: seed)
        try Self.voteFile(disk).store(term: Term(1), vote: nil)
        disk.inject(.stop, atOperation: disk.counts.operations + first)
        let stored = (try? Self.voteFile(disk).store(term: Term(2), vote: nil)) != nil
        disk.cutPower(survival)
        let opens = disk.counts.operations
        disk.inject(.stop, atOperation: opens + second)
        let reopened = try? Self.voteFile(disk)
        var seen = Term(stored ? 2 : 1)
        if let reopened, case .known(let term, _) = reopened.current { seen = max(seen, term) }
        _ = try? reopened?.store(term: Term(3), vote: nil)
        disk.cutPower(survival)
        guard case .known(let term, _) = try Self.voteFile(disk).current else {
            Issue.record("unreadable: seed \(seed) \(survival) \(first) \(second)")
            return
        }
        #expect(term >= seen, "seed \(seed) \(survival) \(first) \(second)")
    }

    @Test func `one bad slot of VOTE is made good from the other; two bar from voting for good`() throws {
        let disk = SimulatedFileSystem()
        try Self.voteFile(disk).store(term: Term(5), vote: nil)
        disk.flip(bit: 8 * 16, of: EngineHarness.path("VOTE"))
        #expect(try Self.voteFile(disk).current == .known(term: Term(5), vote: nil))
        disk.flip(bit: 8 * (4096 + 16), of: EngineHarness.path("VOTE"))
        #expect(try Self.voteFile(disk).current == .known(term: Term(5), vote: nil))
        disk.flip(bit: 8 * 20, of: EngineHarness.path("VOTE"))
        disk.flip(bit: 8 * (4096 + 20), of: EngineHarness.path("VOTE"))
        let unreadable = try Self.voteFile(disk)
        #expect(unreadable.current == .unreadable)
        #expect(unreadable.bar == .none && unreadable.retirement == .votesLost)
        try unreadable.store(term: Term(9), vote: nil)
        let later = try Self.voteFile(disk)
        #expect(later.current == .known(term: Term(9), vote: nil))
        #expect(later.retirement == .votesLost)
    }

    @Test func `after a failed write of VOTE no vote is given`() throws {
        let disk = SimulatedFileSystem()
        let votes = try Self.voteFile(disk)
        disk.inject(.refuse(.ioError), atNext: .sync)
        #expect(throws: LogError.self) { try votes.store(term: Term(2), vote: nil) }
        #expect(votes.current == .known(term: .zero, vote: nil))
        #expect(throws: LogError.failed) { try votes.store(term: Term(2), vote: nil) }
    }

    @Test func `DURABLE's bytes never change`() throws {
        let disk = SimulatedFileSystem()
        let file = try Self.durableFile(disk).file
        file.update { $0.commit = Position(1, 1) }
        file.update {
            $0 = DurableRecord(
                durable: LogPoint(term: Term(7), position: Position(3, 4096)), commit: Position(2, 1024),
                first: SegmentID(1), isClean: true)
        }
        let bytes = try #require(disk.contents(of: EngineHarness.path("DURABLE")))
        #expect(bytes.count == 4096)
        let golden = """
            48464455 0100 0100 0300000000000000 0700000000000000 03000000 00100000 02000000 00040000 01000000
            00000000000000000000000000000000 0a9a206d
            """.filter { !$0.isWhitespace }
        #expect(hex(bytes[2048..<2112]) == golden)
    }

    @Test func `DURABLE names the kernel's run instead of a clean end, never both`() throws {
        let boot = BootIdentity(high: 0x0102_0304_0506_0708, low: 0x090a_0b0c_0d0e_0f10)
        let end = DurableRecord.CleanEnd(lastFrameOffset: 7, lastFrameChecksum: 8, stateChecksum: 9)
        var record = DurableRecord(
            durable: LogPoint(term: Term(7), position: Position(3, 4096)), commit: Position(2, 1024),
            first: SegmentID(1), isClean: false, end: end, boot: boot)
        let slot = record.slot(sequence: 3)
        #expect(slot.flags == 8)
        #expect(slot.words.suffix(4) == [0x0506_0708, 0x0102_0304, 0x0d0e_0f10, 0x090a_0b0c])
        #expect(DurableRecord(slot).boot == boot && DurableRecord(slot).end == nil)
        record.isClean = true
        let clean = DurableRecord(record.slot(sequence: 4))
        #expect(clean.boot == nil && clean.end == end && clean.isClean)
    }

    @Test func `DURABLE is exact when the process dies, and as last synced when the power goes`() throws {
        let disk = SimulatedFileSystem()
        let file = try Self.durableFile(disk).file
        file.update { $0.commit = Position(0, 100) }
        try file.sync()
        file.update { $0.commit = Position(0, 200) }
        disk.killProcess()
        #expect(try Self.durableFile(disk).found?.commit == Position(0, 200))
        disk.cutPower(.losesAll)
        #expect(try Self.durableFile(disk).found?.commit == Position(0, 100))
    }

    @Test func `one bad slot of DURABLE leaves the other, and is made good from it; two leave nothing`() throws {
        let disk = SimulatedFileSystem()
        let file = try Self.durableFile(disk).file
        file.update { $0.commit = Position(0, 100) }
        file.update { $0.commit = Position(0, 200) }
        disk.flip(bit: 8 * (2048 + 8), of: EngineHarness.path("DURABLE"))
        #expect(try Self.durableFile(disk).found?.commit == Position(0, 100))
        disk.flip(bit: 8 * 8, of: EngineHarness.path("DURABLE"))
        #expect(try Self.durableFile(disk).found?.commit == Position(0, 100))
        for offset in DurableFile.offsets { disk.flip(bit: 8 * (offset + 8), of: EngineHarness.path("DURABLE")) }
        #expect(try Self.durableFile(disk).found == nil)
    }

    // MARK: Helpers

    private static func files(_ disk: SimulatedFileSystem) -> LogFiles {
        LogFiles(fileSystem: disk, directory: EngineHarness.directory)
    }

    private static func voteFile(_ disk: SimulatedFileSystem) throws -> VoteFile {
        let files = Self.files(disk)
        try disk.makeDirectory(EngineHarness.directory)
        if disk.contents(of: EngineHarness.path("VOTE")) == nil { try files.replace("VOTE", with: VoteFile.blank()) }
        return try VoteFile(try files.open("VOTE", .write))
    }

    private static func durableFile(
        _ disk: SimulatedFileSystem
    ) throws -> (file: DurableFile, found: DurableRecord?) {
        let files = Self.files(disk)
        try disk.makeDirectory(EngineHarness.directory)
        if disk.contents(of: EngineHarness.path("DURABLE")) == nil {
            try files.replace("DURABLE", with: DurableFile.blank())
        }
        return try DurableFile.open(files)
    }
}

/// Lower-case hexadecimal digits, without spaces.
func hex(_ bytes: some Sequence<UInt8>) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}
