/// A simulated disk right after one step of a recorded workload: a change, a sync, or a store into a mapping.
package struct DiskMoment: Sendable {
    /// See ``DiskCounts/steps``.
    package let step: Int
    /// What was done, for people.
    package let what: String
    let disk: SimulatedDiskState

    /// The disk as the next process finds it when the power goes at this moment.
    package func afterPowerCut(_ survival: PowerCut) -> SimulatedFileSystem {
        let disk = SimulatedFileSystem(self.disk)
        disk.cutPower(survival)
        return disk
    }
}
