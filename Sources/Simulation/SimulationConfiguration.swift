import LogModel
import RaftCore

/// One simulated run: the same values give the same run, event by event.
package struct SimulationConfiguration: Sendable {
    package var seed: UInt64
    package var nodeCount = 3
    /// Events with faults; as much time as is needed for healing follows.
    package var stepCount = 4_000
    package var faults = SimulationFaults.all
    package var policy = FsyncPolicy.always
    /// Small, so that a run rotates often.
    package var segmentByteCountMax = 8 << 10
    package var producerCount = 3
    /// Blank nodes that may become members.
    var spareCount: Int { self.faults.contains(.membership) ? 2 : 0 }
    /// A bug to be caught.
    package var planted: PlantedBug?

    package init(seed: UInt64) {
        self.seed = seed
    }

    /// Under `os` one node at a time loses power, until it is level again: more may lose what was acknowledged.
    var losesPowerOneByOne: Bool { self.policy == .os }

    /// A third of the runs has writers that rely on keys, conditions, fencing tokens and cursors.
    var writerCount: Int { self.seed % 3 == 1 ? 3 : 0 }

    /// In another third producers send several appends in one frame.
    var isSendingRuns: Bool { self.seed % 3 == 0 }

    /// All runs but those whose files rot have directories that are put back from copies.
    var isRestoring: Bool { self.faults.contains(.restores) && !self.isRotting }

    /// One run in five has files that rot.
    var isRotting: Bool { self.faults.contains(.damage) && self.seed % 5 == 3 }

    /// Two runs in seven have disks that are full, fail to sync or are slow, while all else at their nodes is well.
    var isTroublingDisks: Bool {
        !self.faults.isDisjoint(with: [.fullDisks, .failedSyncs, .slowness]) && [2, 5].contains(self.seed % 7)
    }

    /// Of the runs with ``SimulationFaults/churn``, one in four is given over to it.
    var isChurning: Bool { self.faults.contains(.churn) && self.seed % 4 == 0 }
}

/// What may go wrong in a run.
package struct SimulationFaults: OptionSet, Hashable, Sendable {
    package let rawValue: Int
    package init(rawValue: Int) { self.rawValue = rawValue }

    /// Votes and heartbeats are lost, doubled, overtaken.
    package static let messages = SimulationFaults(rawValue: 1)
    /// Links fail in one or both directions, silently.
    package static let partitions = SimulationFaults(rawValue: 2)
    /// Processes are killed; what they had written stays.
    package static let kills = SimulationFaults(rawValue: 4)
    /// Machines lose power, also in the middle of a write: unsynced writes survive in part, in any order.
    package static let powerCuts = SimulationFaults(rawValue: 8)
    /// Connections reset.
    package static let resets = SimulationFaults(rawValue: 16)
    /// Whole nodes are slow for a while, or their disks alone; clocks jump.
    package static let slowness = SimulationFaults(rawValue: 32)

    /// New leaders die young: what they began is left half done.
    package static let churn = SimulationFaults(rawValue: 64)

    /// Leaders are asked to hand over, now and then.
    package static let transfers = SimulationFaults(rawValue: 128)

    /// Nodes are added, removed and replaced; some lose their disks.
    package static let membership = SimulationFaults(rawValue: 256)

    /// Leaders trim, now and then: whoever was away for long finds what it needs gone.
    package static let trims = SimulationFaults(rawValue: 512)

    /// Bits of segment files flip and sectors become unreadable, in running nodes and in those that are down.
    package static let damage = SimulationFaults(rawValue: 1_024)

    /// Directories are put back from older copies, now and then. Goes with ``membership``, which replaces such nodes.
    package static let restores = SimulationFaults(rawValue: 2_048)

    /// Disks are full for a while: nodes wait for room, or for what a trim frees.
    package static let fullDisks = SimulationFaults(rawValue: 4_096)

    /// Syncs fail, and what they were to carry stays in memory only: the node stops, and recovers from what it finds.
    package static let failedSyncs = SimulationFaults(rawValue: 8_192)

    package static let all: SimulationFaults = [
        .messages, .partitions, .kills, .powerCuts, .resets, .slowness, .churn, .transfers, .membership, .trims,
        .damage, .restores, .fullDisks, .failedSyncs,
    ]

    package static let named: [String: SimulationFaults] = [
        "messages": .messages, "partitions": .partitions, "kills": .kills, "power-cuts": .powerCuts,
        "resets": .resets, "slowness": .slowness, "churn": .churn, "transfers": .transfers,
        "membership": .membership, "trims": .trims, "damage": .damage, "restores": .restores,
        "full-disks": .fullDisks, "failed-syncs": .failedSyncs, "all": .all, "none": [],
    ]
}
