/// Drawn at random for each start of a node: tells a start from another one that counts the same.
package struct Life: Hashable, Sendable, CustomStringConvertible {
    package var rawValue: UInt64
    package init(_ rawValue: UInt64) { self.rawValue = rawValue }
    package var description: String { String(self.rawValue, radix: 16) }
}

/// Who speaks, and which start of its directory that is.
///
/// A directory that is put back from a copy counts starts a second time that its peers have seen before. The count
/// alone would tell so only until it is higher again; the lives before this one tell it also then.
///
///     seen by a peer          says now                      is
///     17 life c               18 lives d c b                the next start
///     17 life c               17 lives c b                  the same process
///     18 life d               18 lives x c b                a copy from start 17
///     18 life d               19 lives y x c b              the same copy, started again
package struct MemberStart: Hashable, Sendable {
    /// Lives that are remembered: a copy that was started more often before it met a peer is not told from the node.
    package static let livesMax = 16

    package var member: Member
    /// Raised when a cluster was recovered without its majority: nodes of different generations refuse each other.
    package var generation: UInt32
    /// How often the directory was started in this incarnation.
    package var starts: UInt64
    /// Of this start and of those before it, the newest first; 1 ... ``livesMax``.
    package var lives: [Life]
    /// Neither votes nor counts, whatever its log holds.
    package var isRetired: Bool

    package init(member: Member, generation: UInt32, starts: UInt64, lives: [Life], isRetired: Bool = false) {
        precondition(1...Self.livesMax ~= lives.count, "a start with \(lives.count) lives")
        self.member = member
        self.generation = generation
        self.starts = starts
        self.lives = lives
        self.isRetired = isRetired
    }

    /// What a peer remembers of it.
    package var sighting: StartSighting { StartSighting(member: self.member, starts: self.starts, life: self.lives[0]) }

    /// Whether the start that was seen is this one, or one of those before it.
    package func follows(_ seen: StartSighting) -> Bool {
        guard self.member == seen.member, self.starts >= seen.starts else { return false }
        let age = self.starts - seen.starts
        return age >= UInt64(self.lives.count) || self.lives[Int(age)] == seen.life
    }
}

/// The latest start of a member that a peer has seen.
package struct StartSighting: Hashable, Sendable {
    package var member: Member
    package var starts: UInt64
    package var life: Life

    package init(member: Member, starts: UInt64, life: Life) {
        self.member = member
        self.starts = starts
        self.life = life
    }
}

/// Why an incarnation of a node neither votes nor counts any more: what it promised is not known to it.
///
/// It stays so until another incarnation takes its place (`holdfast member replace`).
package enum Retirement: UInt8, CaseIterable, Hashable, Sendable {
    /// VOTE was unreadable. In the term that it named, a vote may have been given, and an older leader may not be followed.
    case votesLost = 1
    /// The directory is an older copy of itself.
    case directoryRestored = 2
    /// The others went on without this node's majority, in a generation that it does not belong to.
    case clusterRecovered = 3
}

extension Retirement {
    /// For people: what happened.
    package var reason: String {
        switch self {
        case .votesLost: "its file VOTE was unreadable, so whom it voted for is unknown"
        case .directoryRestored:
            "its data directory is an older copy of itself: what it promised after the copy was made is not in it"
        case .clusterRecovered: "the cluster was recovered without it (holdfast recover-quorum)"
        }
    }

    /// For people: what to do.
    package func remedy(for node: NodeID) -> String {
        "stop it, move its data directory away, start it, then: holdfast member replace \(node)"
    }
}
