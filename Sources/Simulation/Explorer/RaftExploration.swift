/// What an exhaustive search found.
package struct RaftExploration: Sendable, CustomStringConvertible {
    package var bounds: ExplorationBounds
    /// Distinct states of the world.
    package var stateCount = 0
    package var transitionCount = 0
    /// Steps to the furthest state whose own steps were tried.
    package var depth = 0
    /// Distinct states of single nodes.
    package var nodeStateCount = 0
    /// The most of the world's appends that were committed in one state.
    package var appendsCommitted = 0
    package var leadersElected = 0
    /// The search ended because it had seen everything, not because it had seen too much.
    package var isComplete = false
    package var violation: Violation?
    /// The steps to the violation; none of fewer steps leads to one.
    package var trace: [String] = []

    package var description: String {
        let bounds = self.bounds
        let start = bounds.isSymmetric ? "" : "from terms \(bounds.startTerms), "
        return "\(start)\(bounds.timeouts) timeouts, \(bounds.appends) appends, \(bounds.crashes) crashes, "
            + "\(bounds.duplicates) duplicates, \(bounds.pulses) pulses: \(self.stateCount) states, "
            + "\(self.transitionCount) transitions, depth \(self.depth), \(self.nodeStateCount) states of one node"
    }
}
