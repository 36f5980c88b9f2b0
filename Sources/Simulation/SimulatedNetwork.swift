import LogModel
import ReplicaCore

/// Who can reach whom, which connections stand, and the streams on them.
struct SimulatedNetwork {
    /// One `replicate` stream: ordered and without loss while it lives, like its TCP connection.
    struct Stream {
        var id: StreamID
        var leader: Int
        var leaderLife: Int
        var follower: Int
        var followerLife: Int
        var upstream: StreamID
        /// Something on it was lost: nothing arrives any more.
        var isBroken = false
        var lastArrivalDown: UInt64 = 0
        var lastArrivalUp: UInt64 = 0
    }

    let nodeCount: Int
    private var cut: Set<Int> = []
    private var connected: Set<Int> = []
    /// When a node hears next what became of its connection to another.
    private var noticeTimes: [Int: UInt64] = [:]
    private(set) var streams: [Stream] = []
    private var lastUpstream: UInt64 = 0

    init(nodeCount: Int) {
        self.nodeCount = nodeCount
    }

    private func key(_ from: Int, _ to: Int) -> Int { from * self.nodeCount + to }

    func reaches(_ from: Int, _ to: Int) -> Bool { !self.cut.contains(self.key(from, to)) }
    mutating func cut(_ from: Int, _ to: Int) { self.cut.insert(self.key(from, to)) }
    mutating func heal(_ from: Int, _ to: Int) { self.cut.remove(self.key(from, to)) }
    mutating func healAll() { self.cut.removeAll() }

    func isConnected(_ from: Int, _ to: Int) -> Bool { self.connected.contains(self.key(from, to)) }
    mutating func connect(_ from: Int, _ to: Int) { self.connected.insert(self.key(from, to)) }

    /// - Returns: `time`, or later: behind what `from` is still to hear of this connection.
    mutating func noticeTime(_ from: Int, _ to: Int, notBefore time: UInt64) -> UInt64 {
        let key = self.key(from, to)
        let result = max(time, self.noticeTimes[key].map { $0 + 1 } ?? 0)
        self.noticeTimes[key] = result
        return result
    }

    /// The connection that `from` had made is gone, and the streams on it.
    mutating func disconnect(_ from: Int, _ to: Int) {
        self.connected.remove(self.key(from, to))
        self.streams.removeAll { $0.leader == from && $0.follower == to }
    }

    mutating func open(_ id: StreamID, from leader: SimulatedNode, to follower: SimulatedNode) -> StreamID {
        self.lastUpstream += 1
        let upstream = StreamID(self.lastUpstream)
        self.streams.append(
            Stream(
                id: id, leader: leader.number, leaderLife: leader.life, follower: follower.number,
                followerLife: follower.life, upstream: upstream))
        return upstream
    }

    mutating func close(_ id: StreamID, of leader: SimulatedNode) {
        self.streams.removeAll { $0.id == id && $0.leader == leader.number && $0.leaderLife == leader.life }
    }

    func index(_ id: StreamID, leader: SimulatedNode) -> Int? {
        self.streams.firstIndex { $0.id == id && $0.leader == leader.number && $0.leaderLife == leader.life }
    }

    func index(upstream: StreamID, follower: SimulatedNode) -> Int? {
        self.streams.firstIndex {
            $0.upstream == upstream && $0.follower == follower.number && $0.followerLife == follower.life
        }
    }

    mutating func update(_ index: Int, _ change: (inout Stream) -> Void) { change(&self.streams[index]) }

    mutating func remove(at index: Int) -> Stream { self.streams.remove(at: index) }
}
