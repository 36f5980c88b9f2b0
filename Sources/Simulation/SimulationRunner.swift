import LogModel

/// Runs a whole cluster from a seed.
package enum SimulationRunner {
    /// Virtual time that healing may take before the cluster counts as stuck.
    private static let healingMilliseconds: UInt64 = 30_000
    /// A bound on events for healing, should time stand still.
    private static let healingStepCountMax = 400_000

    /// - Returns: What the run showed; ``SimulationReport/violation`` is `nil` when every promise was kept.
    package static func run(_ configuration: SimulationConfiguration) -> SimulationReport {
        let world = World(configuration)
        do {
            try world.begin()
            while world.report.stepCount < configuration.stepCount, try world.step() {}
            try Self.heal(world)
            try Self.compareFiles(world)
        } catch {
            world.report.violation = error
        }
        world.report.virtualMilliseconds = world.nanoseconds / 1_000_000
        world.report.appendsAcknowledged = world.oracle.acknowledgedCount
        world.report.framesCommitted = world.oracle.committed.count
        world.report.leadersElected = world.oracle.leaderCount
        return world.report
    }

    /// Ends all faults and waits until every client has been served once more and all nodes are level.
    private static func heal(_ world: World) throws(Violation) {
        world.healEverything()
        let deadline = world.nanoseconds + Self.healingMilliseconds * 1_000_000
        let stepCountMax = world.report.stepCount + Self.healingStepCountMax
        while !Self.isLevel(world) {
            guard world.nanoseconds < deadline, world.report.stepCount < stepCountMax, try world.step() else {
                let states = world.nodes.map {
                    "\($0.isRunning ? "\($0.role)" : "down") t\($0.term) \($0.commit)/\($0.tail)"
                }
                throw Violation(
                    invariant: .liveness, detail: states.joined(separator: ", "), atStep: world.report.stepCount)
            }
        }
    }

    private static func isLevel(_ world: World) -> Bool {
        guard let committed = world.oracle.committed.last?.frame.end,
            world.isMembershipSettled, world.isRepaired,
            world.members.allSatisfy({ $0.isResting && $0.commit == committed && $0.tail == committed })
        else { return false }
        guard world.handovers.values.allSatisfy({ world.alive($0.node, $0.life) == nil }) else { return false }
        return world.clients.allSatisfy { client in client.goal.map { client.sequence >= $0 } ?? false }
            && world.writers.allSatisfy { writer in writer.goal.map { writer.doneCount >= $0 } ?? false }
    }

    /// Sealed segments of any two nodes are identical files; what was trimmed is gone everywhere.
    private static func compareFiles(_ world: World) throws(Violation) {
        guard let last = world.oracle.committed.last?.frame.position.segment else { return }
        for number in 0..<last.rawValue {
            let path = SimulatedNode.directory.appending(SegmentID(number).fileName)
            let files = world.members.map { $0.disk.contents(of: path) }
            let isTrimmed = SegmentID(number) < world.members[0].first
            world.report.segmentsSealed += isTrimmed ? 0 : 1
            for (node, file) in files.enumerated() where file != files[0] || (file == nil) != isTrimmed {
                throw Violation(
                    invariant: .sameFiles,
                    detail:
                        "\(path) of member \(node) has \(file?.count ?? -1) bytes, of member 0 \(files[0]?.count ?? -1)",
                    atStep: world.report.stepCount)
            }
        }
    }
}
