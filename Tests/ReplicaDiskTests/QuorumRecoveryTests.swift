import DiskIO
import LogModel
import LogState
import RaftCore
import ReplicaCore
import SegmentFormat
import SegmentLog
import Simulation
import SystemPackage
import TestSupport
import Testing

@testable import ReplicaDisk

/// One survivor of three, or two of five, and what becomes of them.
struct QuorumRecoveryTests {
    private static let directory: FilePath = "/data"

    private static func members(_ count: Int) -> [Member] {
        (1...count).map { Member(node: NodeID(UInt32($0)), incarnation: Incarnation(UInt64($0) * 11)) }
    }

    /// A stopped founder's disk, with so many records, of which the last may not be committed.
    private static func disk(_ member: Member, of members: [Member], records count: Int) throws -> SimulatedFileSystem {
        let disk = SimulatedFileSystem()
        var opened = try self.open(member, disk)
        let founding = FoundingLog(members: members)
        try opened.form(cluster: founding.cluster, founding: founding.bytes[...])
        let writer = try #require(opened.writer)
        for number in 0..<count {
            if number == count - 1 { writer.recordCommit(writer.chain.tail) }
            var chain = writer.chain
            let from = chain.tail
            let draft = number == 0 ? FrameDraft.control(.termStart, payload: []) : try .records([Record("\(number)")])
            let frame = chain.place(draft, term: Term(3), node: NodeID(1), timestamp: Timestamp(nanoseconds: 7))
            try writer.append(frame.bytes[...], at: from)
        }
        try writer.close()
        return disk
    }

    private static func open(_ member: Member, _ disk: SimulatedFileSystem) throws -> OpenedLog {
        try LogDirectory.open(
            LogConfiguration(directory: self.directory, node: member.node, segmentByteCountMax: 1 << 20),
            mode: .cluster, fileSystem: disk,
            newIncarnation: { member.incarnation })
    }

    private static func look(_ disk: SimulatedFileSystem) throws -> Survivor {
        try Survivor.look(at: self.directory, fileSystem: disk)
    }

    /// What a node finds when it starts there.
    private static func started(_ member: Member, _ disk: SimulatedFileSystem) throws -> (OpenedLog, RecoveredReplica) {
        let opened = try self.open(member, disk)
        return (opened, try ReplicaOpening.recover(opened))
    }

    @Test func `a survivor says what it has and what is committed for sure`() throws {
        let members = Self.members(3)
        let survivor = try Self.look(Self.disk(members[0], of: members, records: 4))
        #expect(survivor.member == members[0] && survivor.membership.voters == members)
        #expect(survivor.tail.term == Term(3) && survivor.nextIndex == LogIndex(4))
        #expect(survivor.commit < survivor.tail.position && survivor.committedNextIndex == LogIndex(3))
        #expect(survivor.generation == 1)
    }

    @Test func `the one with the longest log is chosen, and the others are lost`() throws {
        let members = Self.members(5)
        let survivors = try [(1, 3), (0, 4)].map { place, count in
            try Self.look(Self.disk(members[place], of: members, records: count))
        }
        let plan = try QuorumRecoveryPlan(survivors)
        #expect(plan.chosen.member == members[0] && plan.lost == Array(members[2...]) && plan.generation == 2)
    }

    @Test func `what needs no recovery, and what is not of one cluster, is refused by name`() throws {
        let members = Self.members(3)
        let survivors = try (0..<2).map { try Self.look(Self.disk(members[$0], of: members, records: 2)) }
        #expect(throws: QuorumRecoveryError.hasQuorum) { try QuorumRecoveryPlan(survivors) }
        #expect(throws: QuorumRecoveryError.sameNode(NodeID(1))) {
            try QuorumRecoveryPlan([survivors[0], survivors[0]])
        }
        let others = Self.members(4)
        let other = try Self.look(Self.disk(others[3], of: others, records: 1))
        #expect(throws: QuorumRecoveryError.otherCluster(Self.directory)) {
            try QuorumRecoveryPlan([survivors[0], other])
        }
        let disk = try Self.disk(members[0], of: members, records: 2)
        disk.replaceContents(of: Self.directory.appending("IDENTITY"), with: Array("garbled".utf8))
        #expect(throws: QuorumRecoveryError.damaged(Self.directory)) { try Self.look(disk) }
        let blank = SimulatedFileSystem()
        _ = try Self.open(members[0], blank)
        #expect(throws: QuorumRecoveryError.blank(Self.directory)) { try Self.look(blank) }
    }

    @Test func `what a later release has written is for that to recover, and stays as it is`() throws {
        let members = Self.members(3)
        let disk = try Self.disk(members[0], of: members, records: 4)
        let plan = try QuorumRecoveryPlan([Self.look(disk)])
        let segment = Self.directory.appending("000000.wal")
        disk.replaceContents(of: segment, with: LaterFormat.raised(try #require(disk.contents(of: segment))))
        let names = try disk.list(Self.directory)
        let before = names.map { disk.contents(of: Self.directory.appending($0)) }
        #expect(throws: QuorumRecoveryError.laterFormat(segment, version: 2)) { try Self.look(disk) }
        #expect(throws: QuorumRecoveryError.laterFormat(segment, version: 2)) {
            try plan.apply(now: .zero, fileSystem: disk)
        }
        #expect(try disk.list(Self.directory) == names)
        #expect(names.map { disk.contents(of: Self.directory.appending($0)) } == before)
    }

    @Test func `the chosen one is the only voter of the next generation, and says where it took over`() throws {
        let members = Self.members(3)
        let disk = try Self.disk(members[0], of: members, records: 4)
        let identity = disk.contents(of: Self.directory.appending("IDENTITY"))
        let plan = try QuorumRecoveryPlan([Self.look(disk)])
        let applied = try plan.apply(now: Timestamp(nanoseconds: 9), fileSystem: disk)
        let (opened, recovered) = try Self.started(members[0], disk)
        let recovery = QuorumRecovery(generation: 2, position: plan.chosen.tail.position, nextIndex: LogIndex(4))
        #expect(applied.recovery == recovery && opened.identity.generation == 2)
        #expect(recovered.history.current.membership == Membership(voters: [members[0]], recovery: recovery))
        #expect(recovered.hardState == HardState(term: Term(4), vote: members[0]))
        #expect(opened.mayVote && opened.votes?.retirement == nil)
        // What was there before is kept, but for the start that was counted.
        #expect(applied.kept == ["IDENTITY.generation-1", "VOTE.generation-1"])
        let kept = try #require(disk.contents(of: Self.directory.appending("IDENTITY.generation-1")))
        #expect(NodeIdentity(decoding: kept)?.generation == 1 && identity != nil)
    }

    @Test func `a survivor that had lost its votes leads the next generation all the same`() throws {
        let members = Self.members(3)
        let disk = try Self.disk(members[0], of: members, records: 4)
        disk.replaceContents(of: Self.directory.appending("VOTE"), with: [UInt8](repeating: 7, count: 8_192))
        let plan = try QuorumRecoveryPlan([Self.look(disk)])
        #expect(plan.chosen.vote == .lost)
        _ = try plan.apply(now: .zero, fileSystem: disk)
        let (opened, _) = try Self.started(members[0], disk)
        #expect(opened.votes?.retirement == nil && opened.mayVote)
    }

    @Test func `a majority of which nobody can be elected has to be given up, too`() throws {
        let members = Self.members(3)
        let survivors = try [(0, 3), (1, 4), (2, 4)].map { place, count in
            try Self.look(Self.disk(members[place], of: members, records: count))
        }
        /// With as many barred of them as said, which know what they vouched for or do not.
        func plan(_ count: Int, barred: Int, vouched: LogPoint?) throws -> QuorumRecoveryPlan {
            var chosen = Array(survivors[..<count])
            for place in 0..<barred { chosen[place].vote = .barred(vouched: vouched) }
            return try QuorumRecoveryPlan(chosen)
        }
        #expect(try plan(3, barred: 3, vouched: survivors[1].tail).lost == [])
        #expect(try plan(3, barred: 2, vouched: nil).chosen.tail == survivors[1].tail)
        // A third one might not be elected by one that has lost its end, but by one that knows what it had.
        #expect(throws: QuorumRecoveryError.hasQuorum) { try plan(3, barred: 1, vouched: nil) }
        #expect(throws: QuorumRecoveryError.hasQuorum) { try plan(2, barred: 1, vouched: survivors[1].tail) }
        let later = LogPoint(term: Term(9), position: survivors[1].tail.position)
        #expect(try plan(2, barred: 1, vouched: later).lost == [members[2]])
    }

    @Test func `a node that is alone and barred leads the next generation`() throws {
        let members = Self.members(1)
        let disk = try Self.disk(members[0], of: members, records: 4)
        #expect(throws: QuorumRecoveryError.hasQuorum) { try QuorumRecoveryPlan([Self.look(disk)]) }
        disk.replaceContents(of: Self.directory.appending("DURABLE"), with: nil)
        _ = try Self.started(members[0], disk).0.writer?.close()
        let survivor = try Self.look(disk)
        #expect(survivor.vote == .barred(vouched: nil))
        _ = try QuorumRecoveryPlan([survivor]).apply(now: .zero, fileSystem: disk)
        #expect(try Self.started(members[0], disk).0.mayVote)
        #expect(try Self.look(disk).vote == .held)
    }

    @Test func `cut off anywhere it leaves a log that can be recovered again`() throws {
        let members = Self.members(3)
        var operation = 0
        var isCutOff = true
        while isCutOff {
            operation += 1
            let disk = try Self.disk(members[0], of: members, records: 4)
            let plan = try QuorumRecoveryPlan([Self.look(disk)])
            disk.inject(.stop, atOperation: disk.counts.operations + operation)
            do {
                _ = try plan.apply(now: .zero, fileSystem: disk)
                isCutOff = false
            } catch { isCutOff = true }
            disk.cutPower(.losesSome)
            let survivor = try Self.look(disk)
            #expect(survivor.nextIndex == LogIndex(4), "operation \(operation)")
            guard survivor.membership.recovery == nil else { continue }
            _ = try QuorumRecoveryPlan([survivor]).apply(now: .zero, fileSystem: disk)
            let (opened, recovered) = try Self.started(members[0], disk)
            #expect(recovered.history.current.membership.voters == [members[0]], "operation \(operation)")
            #expect(opened.identity.generation == recovered.history.current.membership.recovery?.generation)
        }
        #expect(operation > 10)
    }
}
