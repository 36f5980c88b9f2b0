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

    /// A round holds each once, in an order of its own.
    static func round(_ random: inout some RandomNumberGenerator) -> [Mishap] { self.allCases.shuffled(using: &random) }
}
