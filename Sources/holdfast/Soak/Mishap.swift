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

    /// A round holds each once, in an order of its own.
    static func round(without omitted: Set<Mishap>, _ random: inout some RandomNumberGenerator) -> [Mishap] {
        self.allCases.filter { !omitted.contains($0) }.shuffled(using: &random)
    }
}
