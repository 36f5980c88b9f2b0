import DiskIO
import LogModel
import RaftCore
import ReplicaDisk
import SegmentFormat
import Simulation
import Testing

@testable import SegmentLog

/// A node opens its directory whatever is damaged in it, says what it lost, and does not vote for that.
@Suite struct `A node's opening` {
    private static let recordCount = 60

    /// Several segments, all of it synced, and committed but for the last records.
    private static func log(isClosed: Bool = false) throws -> EngineHarness {
        let log = try EngineHarness()
        try log.fill(Self.recordCount - 5)
        log.writer.recordCommit(log.tail)
        try log.fill(5, prefix: "u")
        try log.writer.sync()
        if isClosed { try log.writer.close() } else { log.disk.killProcess() }
        return log
    }

    private static func open(_ disk: SimulatedFileSystem) throws(ReplicaOpeningError) -> OpenedReplica {
        try ReplicaOpening.open(EngineHarness.configuration(), fileSystem: disk) { EngineHarness.incarnation }
    }

    private static func path(_ segment: SegmentID) -> String { segment.fileName }

    @Test func `nothing is given up where nothing is damaged`() throws {
        for isClosed in [true, false] {
            let log = try Self.log(isClosed: isClosed)
            let replica = try Self.open(log.disk)
            #expect(replica.opened.report.givenUp == nil && replica.opened.mayVote)
            #expect(replica.recovered?.right == .held && replica.recovered?.marks.tail.point.position == log.tail)
        }
    }

    @Test func `damage in what is read at the start ends the log, bars from voting, and a copy is kept`() throws {
        for isClosed in [true, false] {
            for isHeader in [true, false] {
                let log = try Self.log(isClosed: isClosed)
                let last = log.tail.segment
                let place = try #require(
                    try log.store.position(of: log.store.segments[Int(last.rawValue)].firstIndex.advanced(by: 2)))
                let offset = Int(place.offset) + (isHeader ? 20 : 90)
                let path = EngineHarness.path(last.fileName)
                log.disk.flip(bit: 8 * offset, of: path)
                let damaged = log.disk.contents(of: path)
                let replica = try Self.open(log.disk)
                #expect(replica.opened.report.givenUp?.segment == last)
                #expect(replica.recovered?.marks.tail.point.position == place)
                #expect(replica.recovered?.right == .lostUntilLevel && replica.opened.bar == .untilLevel)
                // What was synced in the last second before a power cut is not known to DURABLE.
                #expect(replica.recovered?.vouched?.position == (isClosed ? log.tail : nil))
                #expect(replica.opened.report.setAside == ["\(last.fileName).damaged"])
                let kept = log.disk.contents(of: EngineHarness.path("\(last.fileName).damaged"))
                #expect(kept?.prefix(Int(log.tail.offset)) == damaged?.prefix(Int(log.tail.offset)))
                // It is remembered, though nothing is damaged any more.
                log.disk.killProcess()
                let again = try Self.open(log.disk)
                #expect(again.opened.report.givenUp == nil && again.recovered?.right == .lostUntilLevel)
                #expect(again.recovered?.vouched == replica.recovered?.vouched)
                try again.opened.votes?.liftBar()
                log.disk.cutPower(.losesAll)
                #expect(try Self.open(log.disk).recovered?.right == .held)
            }
        }
    }

    @Test func `a later format is no damage: nothing is given up or quarantined, and nothing is written`() throws {
        let count = try Self.log().store.segments.count
        try #require(count > 2)
        for number in 0..<count {
            let log = try Self.log(isClosed: number % 2 == 0)
            LaterFormatTests.raise(SegmentID(UInt32(number)), on: log.disk)
            let before = try LaterFormatTests.files(log.disk)
            #expect("segment \(number)") { try Self.open(log.disk) } throws: { error in
                guard case .log(.laterFormat(let file, 2)) = error as? ReplicaOpeningError else { return false }
                return file == SegmentID(UInt32(number)).fileName
            }
            #expect(try LaterFormatTests.files(log.disk) == before)
        }
    }

    @Test func `damage in what is not read at the start is quarantined, and the node votes`() throws {
        let log = try Self.log()
        log.disk.flip(bit: 8 * 10, of: EngineHarness.path("000000.wal"))
        try log.disk.remove(EngineHarness.path("000001.wal"))
        let replica = try Self.open(log.disk)
        #expect(replica.opened.report.damage.map(\.segment) == [SegmentID(0), SegmentID(1)])
        #expect(replica.opened.store?.damage.count == 2)
        #expect(replica.recovered?.right == .held && replica.recovered?.marks.tail.point.position == log.tail)
    }

    @Test func `a log of which nothing is good is kept beside, and the directory is blank and may not vote`() throws {
        let log = try EngineHarness()
        try log.fill(3)
        try log.writer.sync()
        try log.opened.votes?.store(term: Term(7), vote: nil)
        log.disk.killProcess()
        log.disk.flip(bit: 8 * 100, of: EngineHarness.path("000000.wal"))
        let replica = try Self.open(log.disk)
        #expect(replica.opened.writer == nil && replica.recovered == nil)
        #expect(replica.opened.identity.cluster == nil && replica.opened.bar == .untilLevel)
        #expect(replica.opened.identity.incarnation == EngineHarness.incarnation)
        #expect(replica.opened.votes?.current == .known(term: Term(7), vote: nil))
        #expect(log.disk.contents(of: EngineHarness.path("000000.wal.damaged")) != nil)
        // It takes up its cluster's log again, and votes when it is level.
        log.disk.killProcess()
        var again = try Self.open(log.disk).opened
        try again.form(cluster: EngineHarness.cluster, founding: EngineHarness.founding[...])
        #expect(try ReplicaOpening.recover(again).right == .lostUntilLevel)
    }

    @Test func `without peers damage is refused, and every file stays as it is`() throws {
        let log = try Self.log(isClosed: true)
        log.disk.flip(bit: 8 * 700, of: EngineHarness.path(log.tail.segment.fileName))
        let names = try log.disk.list(EngineHarness.directory).filter { $0 != LogFiles.identity }
        let files = names.map { log.disk.contents(of: EngineHarness.path($0)) }
        #expect(throws: ReplicaOpeningError.self) {
            try ReplicaOpening.open(EngineHarness.configuration(), hasPeers: false, fileSystem: log.disk) {
                EngineHarness.incarnation
            }
        }
        #expect(names.map { log.disk.contents(of: EngineHarness.path($0)) } == files)
    }

    @Test func `an unreadable sector is damage as well`() throws {
        for segment in [SegmentID(0), nil] {
            let log = try Self.log()
            let segment = segment ?? log.tail.segment
            log.disk.breakSector(holding: 700, of: EngineHarness.path(segment.fileName))
            let replica = try Self.open(log.disk)
            let store = try #require(replica.opened.store)
            if segment == .first {
                #expect(replica.recovered?.right == .held)
                #expect(throws: LogError.self) { try EngineHarness.values(store) }
                #expect(store.damage.first?.segment == .first)
            } else {
                #expect(replica.recovered?.right == .lostUntilLevel)
                #expect(replica.opened.report.givenUp?.segment == segment)
                #expect(try EngineHarness.values(store).count < Self.recordCount)
            }
        }
    }

    /// Wherever a bit flips, what is read afterwards was written; and a node that lost something it vouched for knows.
    @Test(arguments: [true, false])
    func `no flipped bit is passed over, and none keeps the node from starting`(isClosed: Bool) throws {
        let log = try Self.log(isClosed: isClosed)
        let values = try log.values()
        for segment in log.store.segments {
            let end = segment.id == log.tail.segment ? Int(log.tail.offset) : segment.byteCount
            for offset in stride(from: 0, to: end, by: 11) {
                let disk = log.disk.copy()
                disk.flip(bit: 8 * offset + offset % 8, of: EngineHarness.path(segment.id.fileName))
                let replica = try Self.open(disk)
                guard let store = replica.opened.store, let recovered = replica.recovered else {
                    Issue.record("blank after \(segment.id):\(offset)")
                    continue
                }
                let isShort = recovered.marks.tail.point.position < log.tail
                #expect(isShort == (recovered.right == .lostUntilLevel), "\(segment.id):\(offset)")
                do throws(LogError) {
                    let read = try EngineHarness.values(store)
                    #expect(isShort && read[...] == values.prefix(read.count), "\(segment.id):\(offset) was not found")
                } catch {
                    guard case .damaged(let damage) = error else { throw error }
                    #expect(damage.segment == segment.id && damage.range.upperBound > offset, "\(segment.id):\(offset)")
                }
            }
        }
    }
}
