import DiskIO
import LogModel
import SegmentFormat
import Simulation
import SystemPackage
import Testing

@testable import SegmentLog

@Suite struct `Opening a directory` {
    @Test func `bad configurations are named`() {
        var configuration = EngineHarness.configuration()
        configuration.directory = ""
        #expect(throws: LogError.configuration(.emptyDirectory)) { try configuration.validate() }

        configuration = EngineHarness.configuration()
        configuration.node = NodeID(0)
        #expect(throws: LogError.configuration(.nodeZero)) { try configuration.validate() }

        for size in [0, 1 << 19, 4 << 30] {
            configuration = LogConfiguration(directory: "/x", segmentByteCountMax: size)
            #expect(
                throws: LogError.configuration(
                    .segmentByteCountMax(size, allowed: EngineLimits.segmentByteCounts))
            ) { try configuration.validate() }
        }
        configuration = LogConfiguration(directory: "/x", openFilesMax: 0)
        #expect(throws: LogError.configuration(.openFilesMax(0, allowed: EngineLimits.openFiles))) {
            try configuration.validate()
        }
        configuration = LogConfiguration(directory: "/x", policy: .batch(windowMilliseconds: 0))
        #expect(throws: LogError.configuration(.batchWindow(0, allowed: EngineLimits.batchWindowMilliseconds))) {
            try configuration.validate()
        }
        #expect(throws: Never.self) { try LogConfiguration(directory: "/x").validate() }
    }

    @Test func `a blank node of a cluster has an identity and no log`() throws {
        let disk = SimulatedFileSystem()
        let opened = try EngineHarness.open(disk)
        #expect(opened.writer == nil)
        #expect(opened.identity.cluster == nil)
        #expect(opened.identity.incarnation == EngineHarness.incarnation)
        #expect(opened.identity.starts == 1)
        #expect(opened.mayVote)
        #expect(opened.votes?.current == .known(term: .zero, vote: nil))
    }

    @Test func `every opening counts, durably`() throws {
        let disk = SimulatedFileSystem()
        for count in 1...4 as ClosedRange<UInt64> {
            #expect(try EngineHarness.open(disk).identity.starts == count)
            disk.cutPower(.losesAll)
        }
    }

    @Test func `a second opener is refused and told who has it, until the first lets go`() throws {
        let disk = SimulatedFileSystem()
        let first = try EngineHarness(disk)
        #expect(throws: LogError.locked(holder: "pid 1")) { try EngineHarness.open(disk) }
        try first.writer.close()
        #expect(throws: Never.self) { try EngineHarness.open(disk) }
    }

    @Test func `another node's directory is refused`() throws {
        let disk = SimulatedFileSystem()
        try EngineHarness(disk).writer.close()
        var configuration = EngineHarness.configuration()
        configuration.node = NodeID(2)
        #expect(throws: LogError.foreignDirectory(.node(found: NodeID(1), expected: NodeID(2)))) {
            try EngineHarness.open(disk, configuration)
        }
    }

    @Test func `another cluster's directory is refused`() throws {
        let disk = SimulatedFileSystem()
        try EngineHarness(disk).writer.close()
        var configuration = EngineHarness.configuration()
        let other = ClusterID(high: 1, low: 1)
        configuration.cluster = other
        #expect(throws: LogError.foreignDirectory(.cluster(found: EngineHarness.cluster, expected: other))) {
            try EngineHarness.open(disk, configuration)
        }
    }

    @Test func `another cluster's segment is refused`() throws {
        let disk = SimulatedFileSystem()
        try EngineHarness(disk).writer.close()
        let other = ClusterID(high: 1, low: 1)
        let foreign = SegmentHeader(
            cluster: other, segment: .first, firstIndex: .first, previousChecksum: 0, previousLength: 0)
        let file = try disk.open(EngineHarness.path("000000.wal"), .write)
        try file.write(foreign.encoded().span.bytes, at: 0)
        #expect(throws: LogError.foreignDirectory(.cluster(found: other, expected: EngineHarness.cluster))) {
            try EngineHarness.open(disk)
        }
    }

    @Test func `segments without an identity are refused`() throws {
        let disk = SimulatedFileSystem()
        try EngineHarness(disk).writer.close()
        try disk.remove(EngineHarness.path("IDENTITY"))
        #expect(throws: LogError.foreignDirectory(.noIdentity)) { try EngineHarness.open(disk) }
    }

    @Test func `a cluster node's directory is not opened as a log of its own`() throws {
        let disk = SimulatedFileSystem()
        try EngineHarness(disk).writer.close()
        #expect(throws: LogError.foreignDirectory(.clusterNode)) { try EngineHarness.open(disk, mode: .standalone) }
    }

    @Test func `a damaged identity is refused`() throws {
        let disk = SimulatedFileSystem()
        try EngineHarness(disk).writer.close()
        disk.flip(bit: 333, of: EngineHarness.path("IDENTITY"))
        #expect(throws: LogError.sidecarDamaged(file: "IDENTITY")) { try EngineHarness.open(disk) }
    }

    @Test func `an unreadable or missing VOTE bars from voting, also next time`() throws {
        let disk = SimulatedFileSystem()
        try EngineHarness(disk).writer.close()
        try disk.remove(EngineHarness.path("VOTE"))
        let opened = try EngineHarness.open(disk)
        #expect(!opened.mayVote && opened.votes?.retirement == .votesLost)
        try opened.votes?.store(term: Term(3), vote: nil)
        try opened.writer?.close()
        let again = try EngineHarness.open(disk)
        #expect(!again.mayVote && again.votes?.retirement == .votesLost)
    }

    @Test func `forming survives, or leaves a blank directory, wherever it is cut off`() throws {
        for operation in 1...60 {
            let disk = SimulatedFileSystem(seed: UInt64(operation))
            disk.inject(.stop, atOperation: operation)
            let formed = (try? EngineHarness(disk)) != nil
            disk.cutPower(.losesSome)
            let opened = try EngineHarness.open(disk)
            #expect((opened.writer != nil) == (opened.identity.cluster != nil))
            if formed { #expect(opened.writer != nil) }
        }
    }

    @Test func `founding bytes of another cluster or none are refused`() throws {
        let disk = SimulatedFileSystem()
        var opened = try EngineHarness.open(disk)
        #expect(throws: LogError.self) {
            try opened.form(cluster: ClusterID(high: 5, low: 5), founding: EngineHarness.founding[...])
        }
        #expect(throws: LogError.self) { try opened.form(cluster: EngineHarness.cluster, founding: []) }
        #expect(throws: LogError.self) {
            try opened.form(cluster: EngineHarness.cluster, founding: EngineHarness.founding[..<64])
        }
        #expect(throws: Never.self) {
            try opened.form(cluster: EngineHarness.cluster, founding: EngineHarness.founding[...])
        }
        #expect(opened.commit == opened.writer?.chain.tail)
    }
}
