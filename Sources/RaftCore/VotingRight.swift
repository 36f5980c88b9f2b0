/// Whether a node may vote and lead, as far as what it once said is concerned.
///
///     lostUntilLevel --holds what the current leader has committed in its own term--> held
///
/// A node that lost frames it had vouched for must not help to elect somebody who lacks them, too: it votes only for who
/// has as much as it ever had, if that is known, and never leads. Once it holds all that may have been committed with
/// its help, it is as before. Whom a node voted for comes back with no log: see ``Retirement``.
///
/// - SeeAlso: Alagappan et al., Protocol-Aware Recovery for Consensus-Based Storage, FAST '18.
package enum VotingRight: String, Hashable, Sendable {
    case held
    /// The log may be short of what this node vouched for.
    case lostUntilLevel
}
