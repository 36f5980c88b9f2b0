/// How much of each kind may happen.
package struct ExplorationBounds: Hashable, Sendable {
    /// Elections begun, and leaders that step down for want of a quorum.
    package var timeouts: UInt8
    package var appends: UInt8
    /// Crashes, each with whatever the disk may keep of what was not synced.
    package var crashes: UInt8
    /// Messages delivered twice.
    package var duplicates: UInt8
    /// Heartbeats beyond those of a new leader.
    package var pulses: UInt8
    /// From one node to another only the newest message is on its way; else the newest of each kind.
    package var isNarrow: Bool
    /// Where the search begins, if not with blank nodes: the terms of each node's frames. The node that holds the first
    /// frame of the latest term has every vote of that term.
    package var startTerms: [[UInt64]]

    package init(
        timeouts: UInt8, appends: UInt8, crashes: UInt8, duplicates: UInt8 = 0, pulses: UInt8 = 0,
        isNarrow: Bool = false, startTerms: [[UInt64]] = [[], [], []]
    ) {
        self.timeouts = timeouts
        self.appends = appends
        self.crashes = crashes
        self.duplicates = duplicates
        self.pulses = pulses
        self.isNarrow = isNarrow
        self.startTerms = startTerms
    }

    var nodeCount: Int { self.startTerms.count }
    /// Nodes differ in nothing but their names.
    var isSymmetric: Bool { self.startTerms.allSatisfy(\.isEmpty) }

    /// Who crashes how often: all ways in which the crashes may fall to the nodes. Where nodes differ in nothing but
    /// their names, and the first has a part of its own, one order of the others stands for all.
    var crashesOfNodes: [[UInt8]] {
        var ways: [[UInt8]] = [[]]
        for _ in 0..<self.nodeCount { ways = ways.flatMap { way in (0...self.crashes).map { way + [$0] } } }
        return ways.filter { way in
            guard way.reduce(0, +) == self.crashes else { return false }
            return !self.isSymmetric || zip(way.dropFirst(), way.dropFirst(2)).allSatisfy { $0 >= $1 }
        }
    }
}
