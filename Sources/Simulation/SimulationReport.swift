import LogModel

/// What a run showed.
package struct SimulationReport: Sendable {
    package var seed: UInt64
    package var stepCount = 0
    package var virtualMilliseconds: UInt64 = 0
    /// Of every event, in order: equal for equal configurations.
    package var traceHash: UInt64 = 0
    package var appendsAcknowledged = 0
    package var framesCommitted = 0
    package var segmentsSealed = 0
    package var leadersElected = 0
    package var crashes = 0
    /// Nodes that neither voted nor led when they started.
    package var startsBarred = 0
    package var truncations = 0
    package var duplicatesAnswered = 0
    /// Frames of several appends of which some were found to be there.
    package var runsTakenApart = 0
    package var readsChecked = 0
    package var keysRepeated = 0
    package var acknowledgedByAll = 0
    package var conditionsRefused = 0
    package var writersFenced = 0
    package var cursorsChecked = 0
    package var handovers = 0
    /// Steps that were asked for and committed.
    package var membershipChanges = 0
    package var disksLost = 0
    /// Directories that were put back from an older copy, and of these the ones that were told so.
    package var directoriesRestored = 0
    package var restoredNodesRetired = 0
    package var trims = 0
    /// Nodes that were too far behind, and began with a peer's first segment.
    package var beginnings = 0
    /// Bits flipped and sectors broken.
    package var damages = 0
    /// Segments that a peer's copy took the place of.
    package var segmentsRepaired = 0
    /// Starts of nodes that had to give up a part of their log.
    package var logsGivenUp = 0
    /// Times that a node's disk had no room for what was to be written or prepared.
    package var disksFilled = 0
    /// Appends that were refused for want of room.
    package var appendsWithoutRoom = 0
    /// Nodes that stopped, or did not start, because a sync failed.
    package var syncsFailed = 0
    package var violation: Violation?
}

/// A promise that was broken, and when.
package struct Violation: Error, Hashable, Sendable, CustomStringConvertible {
    package var invariant: Invariant
    package var detail: String
    package var atStep = 0

    package var description: String { "step \(self.atStep): \(self.invariant.rawValue): \(self.detail)" }
}

/// The promises of a cluster, checked while it runs.
package enum Invariant: String, Hashable, Sendable {
    case oneLeaderPerTerm = "at most one leader per term"
    case oneVotePerTerm = "one vote per node and term"
    case committedNeverChanges = "a committed frame never changes or disappears"
    case leaderCompleteness = "a leader holds every committed frame"
    case logMatching = "equal places of equal terms mean equal logs up to there"
    case acknowledgedOnce = "no acknowledged append is lost or doubled"
    case acknowledgedByAll = "what is acknowledged by all is on the disk of every voter"
    case conditions = "an append stands where it was expected to, and what was refused never appears"
    case fencing = "nothing is taken from a writer once a higher token was"
    case cursors = "a cursor is never behind what was acknowledged"
    case linearizableReads = "a linearizable read sees all that was acknowledged or read before it"
    case nothingGoesBack = "terms, votes and what was vouched for never go back"
    case trimmedAsAsked = "only what was asked for is trimmed, and the first position never goes back"
    case sameFiles = "sealed segments are the same files on every node"
    case recovers = "a crashed node opens its log again"
    case liveness = "once faults stop, a leader emerges and all nodes become level"
}
