import DiskIO
import LogModel

/// Under ``FsyncPolicy/os`` a node of a cluster vouches for what it has received, and the kernel holds it: it survives the
/// process, and not the machine. How much of it is left, nothing on the disk tells.
extension OpenedLog {
    /// What DURABLE is to name from here on; `nil` where only synced frames are vouched for.
    var vouchingBoot: BootIdentity? {
        self.votes != nil && self.configuration.policy == .os ? self.files.fileSystem.boot : nil
    }

    /// After an unclean stop and another start of the machine this node may lack what it has acknowledged: it neither
    /// votes nor leads until it is level. The policy of the run before counts, whatever it is now.
    ///
    /// - Parameter found: What DURABLE said. VOTE says so before DURABLE names the new run.
    mutating func barIfReceivedIsLost(_ found: DurableRecord?) throws(LogError) {
        guard let boot = found?.boot, !boot.isSure(toBe: self.files.fileSystem.boot) else { return }
        self.report.mayLackReceived = true
        try self.votes?.barUntilLevel()
    }
}
