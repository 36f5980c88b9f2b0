import DiskIO
import LogModel
import SegmentFormat
import Simulation
import Testing

@testable import SegmentLog

/// Nodes under `os`: the kernel's memory counts for as long as it is the same kernel.
@Suite struct BootTests {
    /// A node that was formed under `policy` and has written one frame since, not synced.
    private func written(_ policy: FsyncPolicy, on disk: SimulatedFileSystem) throws {
        var harness = EngineHarness(
            disk: disk, configuration: self.configuration(policy), opened: try self.open(disk, policy))
        if harness.opened.writer == nil {
            try harness.opened.form(cluster: EngineHarness.cluster, founding: EngineHarness.founding[...])
        }
        _ = try harness.append("received")
    }

    private func configuration(_ policy: FsyncPolicy) -> LogConfiguration {
        var configuration = EngineHarness.configuration()
        configuration.policy = policy
        return configuration
    }

    private func open(_ disk: SimulatedFileSystem, _ policy: FsyncPolicy) throws -> OpenedLog {
        try EngineHarness.open(disk, self.configuration(policy))
    }

    @Test func `a killed process votes on, a machine that lost its power does not`() throws {
        let disk = SimulatedFileSystem()
        try self.written(.os, on: disk)
        disk.killProcess()
        let again = try self.open(disk, .os)
        #expect(again.mayVote && !again.report.mayLackReceived)
        disk.cutPower(.losesAll)
        let after = try self.open(disk, .os)
        #expect(!after.mayVote && after.report.mayLackReceived)
        #expect(after.report.description.contains("the machine's memory"))
    }

    @Test func `it stays so when the process dies before it is level`() throws {
        let disk = SimulatedFileSystem()
        try self.written(.os, on: disk)
        disk.cutPower(.losesAll)
        #expect(try !self.open(disk, .os).mayVote)
        disk.killProcess()
        #expect(try !self.open(disk, .os).mayVote)
    }

    @Test func `an orderly stop, or a policy that syncs, outlives every power cut`() throws {
        let closed = SimulatedFileSystem()
        try self.written(.os, on: closed)
        closed.killProcess()
        try self.open(closed, .os).writer?.close()
        closed.cutPower(.losesAll)
        #expect(try self.open(closed, .os).mayVote)
        let synced = SimulatedFileSystem()
        try self.written(.always, on: synced)
        synced.cutPower(.losesAll)
        #expect(try self.open(synced, .always).mayVote)
    }

    @Test func `the policy of the run before counts`() throws {
        let disk = SimulatedFileSystem()
        try self.written(.os, on: disk)
        disk.cutPower(.losesAll)
        #expect(try !self.open(disk, .always).mayVote)
    }

    @Test func `a kernel that does not say who it is equals none`() {
        #expect(!BootIdentity.unknown.isSure(toBe: .unknown))
        let boot = BootIdentity("7f3c2b1a-0000-4000-8000-00000000beef")
        #expect(boot == BootIdentity(high: 0x7f3c_2b1a_0000_4000, low: 0x8000_0000_0000_beef))
        #expect(boot?.isSure(toBe: .unknown) == false)
        for text in ["", "7f3c2b1a", "7f3c2b1a-0000-4000-8000-00000000beeg", "7f3c2b1a-0000-4000-8000-00000000beef0"] {
            #expect(BootIdentity(text) == nil, "\(text)")
        }
    }
}
