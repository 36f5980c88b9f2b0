import LogModel

/// The last end of a frame up to which two logs are equal, from their term tables alone (Raft §5.3).
///
/// All frames of a term were placed by one leader, so a log's frames of that term are a prefix of that leader's.
/// So two logs agree through the highest term that begins in both, up to where the first of them leaves it.
///
///     leader    |--1--|--4--|-5-|---6---|-8
///     follower  |--1--|----4-----|                 common: the end of the leader's term 4
///
/// The follower cuts its log back to the result, so it must never lie too low: what is cut in vain might have been
/// counted for a commit. Only where the tables, 64 terms each, do not overlap does it fall back to the follower's
/// commit point, which every leader holds.
///
/// A term's end is known exactly when the next term begins right there, in the same segment. **A leader therefore
/// does not rotate to place its term start.** If a term did begin with a segment, the length of the segment before it
/// does not show in the table, and the result may lie too high: at the beginning of that segment's first frame, or
/// where the other log ends. A follower that lacks such a point refuses it, and loses nothing.
///
/// - Parameters:
///   - leaderTail: With the term start of the leader's own term.
///   - followerCommit: What the follower knows to be committed.
/// - Complexity: O(terms).
package func commonPoint(
    leaderTerms: [TermStart], leaderTail: LogPoint, followerTerms: [TermStart], followerTail: LogPoint,
    followerCommit: LogPoint
) -> LogPoint {
    var leader = leaderTerms.count - 1
    var follower = followerTerms.count - 1
    while leader >= 0, follower >= 0 {
        if leaderTerms[leader].term > followerTerms[follower].term {
            leader -= 1
        } else if leaderTerms[leader].term < followerTerms[follower].term {
            follower -= 1
        } else if leaderTerms[leader].position != followerTerms[follower].position {
            leader -= 1
            follower -= 1
        } else {
            break
        }
    }
    guard leader >= 0, follower >= 0 else { return followerCommit }
    let leaderEnd = leader + 1 < leaderTerms.count ? leaderTerms[leader + 1].position : leaderTail.position
    let followerEnd =
        follower + 1 < followerTerms.count ? followerTerms[follower + 1].position : followerTail.position
    return LogPoint(term: leaderTerms[leader].term, position: min(leaderEnd, followerEnd))
}
