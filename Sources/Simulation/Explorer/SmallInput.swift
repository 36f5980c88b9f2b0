import LogModel

/// What may happen to a node of a small world.
enum SmallInput {
    /// Nobody was heard for the longest election timeout: a follower asks for pre-votes, a leader steps down.
    case timedOut
    /// A leader's heartbeats are due.
    case pulsed
    case appended(Int)
    /// The oldest vote on its way to the disk is there.
    case storedVote
    /// The disk has the whole log.
    case synced
    case crashed(SmallCrash)
    case received(SmallMessage)
    /// The leader's stream brings its next frame.
    case shipped(by: SmallNode)
}

/// What the world has to know of a step.
enum SmallFact {
    case leads(Term)
    case commits(Position)
    case breaks(Invariant, String)
}

struct SmallStep {
    var node: SmallNode
    var sent: [SmallMessage]
    var facts: [SmallFact]
}
