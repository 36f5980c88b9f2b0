/// Bugs that tests switch on to prove that the simulator bites; never set in a running node.
package enum PlantedBug: String, CaseIterable, Hashable, Sendable {
    // MARK: Elections, in RaftCore

    /// A vote is answered and counted without being stored.
    case voteNotPersisted
    /// After a restart the term is known, and not who got the vote.
    case forgetVoteAtRestart
    /// A candidate counts votes that it was given in an earlier term.
    case countStaleVotes
    /// A vote goes to a candidate whose log is behind (what Raft §5.4.1 forbids).
    case grantToShorterLog

    /// A node that lost a part of its log to damage votes as if it were whole.
    case voteWithLostLog

    /// In a joint membership the voters to come decide alone.
    case ignoreOutgoing

    // MARK: Commits, in RaftCore

    /// A leader commits frames of earlier terms by counting (what Raft Figure 8 forbids).
    case commitOldTermByCount
    /// A leader counts itself for what its own disk does not have yet.
    case countOwnUnsynced
    /// A follower believes its leader's commit position for frames that the leader's stream has not confirmed.
    case commitUnconfirmed
    /// A leader tells its tail for its commit position.
    case tellTailAsCommit

    // MARK: Reads, in RaftCore

    /// A leader answers reads without asking whether it still leads.
    case readWithoutRound
    /// A new leader answers reads before it has committed in its own term.
    case readBeforeOwnCommit

    // MARK: The log, in ReplicaCore and ReplicaDisk

    /// A node acknowledges what it has written and not yet synced.
    case acknowledgeBeforeSync
    /// The end of a sync vouches for what was placed after its beginning.
    case syncVouchesForLater
    /// The disk says that it has synced, and has not.
    case skipSync
    /// A follower keeps a divergent suffix.
    case skipTruncate
    /// A stream begins at the follower's commit, so that the follower cuts what it has rightly acknowledged.
    case streamFromCommit
    /// A new leader rotates to place its term start, so that the end of the term before it is not known.
    case rotateForTermStart

    // MARK: Answers, in ReplicaCore

    /// A producer's retry is acknowledged before the original is committed.
    case answerDuplicateAtOnce
    /// Who waits for a commit still does so when another node leads and commits another frame there.
    case keepWaitingWhenDeposed

    // MARK: Peers, in ReplicaCore

    /// A node whose directory was put back from a copy counts as if nothing had happened.
    case ignoreStarts
}
