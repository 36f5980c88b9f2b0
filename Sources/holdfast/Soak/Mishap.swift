/// What a soak test does to a cluster, one after the other.
enum Mishap: String, CaseIterable, Sendable {
    case leaderKilled = "leader killed"
    case followerKilled = "follower killed"
    case allKilled = "all nodes killed"
    case restarted = "node restarted"
    case rolling = "all nodes restarted in turn"
    case paused = "node paused"
    case handedOver = "leadership handed over"
    case damagedStopped = "stopped node damaged"
    case damagedRunning = "running node damaged"
    case diskLost = "disk lost, node replaced"
    case grown = "fourth member added and removed"
    case trimmed = "log trimmed"
    case leaderDiskFull = "leader's disk full"
    case followerDiskFull = "follower's disk full"

    /// Those that need a file system of their own, which not everybody may mount.
    static let ofDisks: Set<Mishap> = [.leaderDiskFull, .followerDiskFull]

    /// One of a round, and what its details are drawn from.
    struct Turn {
        var mishap: Mishap
        var seed: UInt64
    }

    /// A round holds each once, in an order of its own. Those that are left out have their turns drawn, too, so that a seed
    /// gives the others the same order and the same details wherever it is used.
    static func round(without omitted: Set<Mishap>, _ random: inout some RandomNumberGenerator) -> [Turn] {
        self.allCases.shuffled(using: &random).map { Turn(mishap: $0, seed: random.next()) }
            .filter { !omitted.contains($0.mishap) }
    }
}
