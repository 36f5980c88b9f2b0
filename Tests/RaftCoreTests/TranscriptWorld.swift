import LogModel
import RaftCore
import WireFormat

/// Runs the commands of a transcript over a few nodes and writes down every effect.
///
///     nodes N                    start N nodes with a founding checkpoint each
///     boot N term T log 1 1 4    node N with frames of these terms behind the checkpoint, synced
///     barred N                   starts node N anew without the right to vote
///     at MS                      the time is MS milliseconds
///     tick N                     time is shown to node N
///     deliver [A>B]              messages of one way, oldest first, or all until none is left
///     lose [A>B]                 the same, lost
///     store N                    the oldest persist that node N has not finished is on its disk
///     append N                   leader N places a frame
///     ship A>B [COUNT]           leader A's stream brings B level (or COUNT frames further)
///     sync N                     node N's disk has its whole log
///     ack A>B                    A tells leader B how far it is
///     lost N L                   node N sees that the process of L is gone
///     read N ID                  a linearizable read at N
///     transfer N [M]             leader N is asked to hand over, to M
///     restart N                  node N crashes, forgets what was not synced, starts
///     show                       the state of all nodes
final class TranscriptWorld {
    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    private struct Letter {
        var message: RaftMessage
        var from: UInt32
        var to: UInt32
    }

    private var nodes: [UInt32: TestNode] = [:]
    private var letters: [Letter] = []
    private var now = MonotonicTime.zero
    private var content = 0
    private var output: [String] = []

    /// - Returns: The lines that the command gives rise to.
    func run(_ command: String) throws -> [String] {
        self.output = []
        let words = command.split(separator: " ").map(String.init)
        guard let verb = words.first else { throw Failure(description: "an empty command") }
        let rest = Array(words.dropFirst())
        switch verb {
        case "nodes": try self.start(self.number(rest, 0))
        case "boot": try self.boot(rest)
        case "barred":
            let old = try self.node(rest, 0)
            let id = old.member.node.rawValue
            self.nodes[id] = TestNode(
                id, membership: old.membership, frames: old.frames, hardState: old.storedHardState, seed: UInt64(id),
                now: self.now, right: .lostUntilLevel)
        case "at": self.now = milliseconds(try self.number(rest, 0))
        case "tick": self.step(try self.node(rest, 0), .ticked)
        case "deliver": try self.deliver(rest.first)
        case "lose": try self.lose(rest.first)
        case "store": self.store(try self.node(rest, 0))
        case "append": try self.append(self.node(rest, 0))
        case "ship": try self.ship(rest)
        case "sync":
            let node = try self.node(rest, 0)
            node.durableCount = node.frames.count
            self.step(node, .persisted(through: node.tail))
        case "ack": try self.acknowledge(rest)
        case "lost":
            self.step(try self.node(rest, 0), .leaderLost(NodeID(UInt32(try self.number(rest, 1)))))
        case "read": self.step(try self.node(rest, 0), .readAsked(id: try self.number(rest, 1)))
        case "transfer":
            let target = rest.count > 1 ? NodeID(UInt32(try self.number(rest, 1))) : nil
            self.step(try self.node(rest, 0), .transferAsked(to: target))
        case "restart":
            let node = try self.node(rest, 0)
            node.crash(now: self.now)
            self.letters.removeAll { $0.to == node.member.node.rawValue }
        case "show": for (_, node) in self.nodes.sorted(by: { $0.key < $1.key }) { self.show(node) }
        default: throw Failure(description: "unknown command: \(command)")
        }
        return self.output
    }

    // MARK: Commands

    private func start(_ count: UInt64) {
        self.nodes = [:]
        self.letters = []
        for id in 1...UInt32(count) {
            self.nodes[id] = TestNode(id, membership: testMembership(Int(count)), seed: UInt64(id))
        }
    }

    private func boot(_ words: [String]) throws {
        let old = try self.node(words, 0)
        guard words.count >= 4, words[1] == "term", words[3] == "log" else {
            throw Failure(description: "boot N term T log TERMS")
        }
        var frames = [TestNode.founding]
        for word in words.dropFirst(4) {
            guard let term = UInt64(word) else { throw Failure(description: "no term: \(word)") }
            // The n-th frame of a term is the same one on every node.
            let count = frames.count { $0.term == Term(term) }
            frames.append(TestNode.frame(after: frames, term: Term(term), content: Int(term) * 1000 + count))
        }
        let id = old.member.node.rawValue
        self.nodes[id] = TestNode(
            id, membership: old.membership, frames: frames,
            hardState: HardState(term: Term(try self.number(words, 2)), vote: nil), seed: UInt64(id), now: self.now)
    }

    private func deliver(_ way: String?) throws {
        let way = try way.map(self.way)
        var count = 0
        while let index = self.letters.firstIndex(where: { self.isOn(way, $0) }) {
            count += 1
            guard count < 1000 else { throw Failure(description: "messages never end") }
            let letter = self.letters.remove(at: index)
            guard let node = self.nodes[letter.to] else { continue }
            self.step(node, .received(letter.message, from: testMember(letter.from)))
        }
    }

    private func lose(_ way: String?) throws {
        let way = try way.map(self.way)
        self.letters.removeAll { self.isOn(way, $0) }
    }

    private func isOn(_ way: (UInt32, UInt32)?, _ letter: Letter) -> Bool {
        way.map { $0 == (letter.from, letter.to) } ?? true
    }

    private func store(_ node: TestNode) {
        guard !node.storing.isEmpty else { return }
        let state = node.storing.removeFirst()
        node.storedHardState = state
        self.step(node, .votePersisted(state))
    }

    private func append(_ node: TestNode) {
        self.content += 1
        let isNewTerm = node.tail.term != node.core.term
        let frame = TestNode.frame(after: node.frames, term: node.core.term, content: self.content)
        node.frames.append(frame)
        let start = TermStart(term: frame.term, firstIndex: LogIndex(UInt64(node.frames.count)), position: frame.start)
        self.step(node, .appended(through: node.tail, newTerm: isNewTerm ? start : nil))
    }

    private func ship(_ words: [String]) throws {
        let (from, to) = try self.way(words.first ?? "")
        guard let leader = self.nodes[from], let node = self.nodes[to] else {
            throw Failure(description: "no such node")
        }
        self.step(node, .leaderSpoke(term: leader.core.term, leader: leader.member))
        guard node.core.leaderMember == leader.member else { return self.output.append("\(to): not its leader") }
        let common = commonPoint(
            leaderTerms: leader.terms, leaderTail: leader.tail, followerTerms: node.terms, followerTail: node.tail,
            followerCommit: .zero)
        if common != node.tail {
            self.output.append("\(to): truncated from \(node.tail) to \(common)")
            node.truncate(to: common)
            self.step(node, .truncated(to: common))
        }
        let limit = words.count > 1 ? Int(try self.number(words, 1)) : Int.max
        node.frames += leader.frames.dropFirst(node.frames.count).prefix(limit)
        let newTerms = node.terms.filter { $0.position >= common.position }
        self.step(
            node, .accepted(through: node.tail, newTerms: newTerms, leaderCommit: leader.core.commit))
    }

    private func acknowledge(_ words: [String]) throws {
        let (from, to) = try self.way(words.first ?? "")
        guard let node = self.nodes[from], let leader = self.nodes[to] else {
            throw Failure(description: "no such node")
        }
        self.step(leader, .acknowledged(by: node.member, received: node.tail, persisted: node.durableTail))
    }

    // MARK: Steps and their effects

    private func step(_ node: TestNode, _ input: RaftInput) {
        var isElected = false
        for effect in node.core.step(input, now: self.now) {
            self.output.append(describe(effect, of: node.member))
            switch effect {
            case .send(let message, let to):
                self.letters.append(Letter(message: message, from: node.member.node.rawValue, to: to.node.rawValue))
            case .persistVote(let state): node.storing.append(state)
            case .becameLeader: isElected = true
            default: break
            }
        }
        if isElected { self.append(node) }
    }

    private func show(_ node: TestNode) {
        let leader = node.core.leader.map { "follows \($0)" } ?? "knows no leader"
        let role = node.core.role == .leader ? "leads" : leader
        self.output.append(
            "\(node.member.node): \(node.core.role) t\(node.core.term) \(role), tail \(node.tail),"
                + " commit \(node.core.commit)\(node.core.mayVote ? "" : ", may not vote")")
    }

    // MARK: Words

    private func number(_ words: [String], _ index: Int) throws -> UInt64 {
        guard index < words.count, let number = UInt64(words[index]) else {
            throw Failure(description: "a number is missing in \(words)")
        }
        return number
    }

    private func node(_ words: [String], _ index: Int) throws -> TestNode {
        guard let node = self.nodes[UInt32(try self.number(words, index))] else {
            throw Failure(description: "no such node in \(words)")
        }
        return node
    }

    private func way(_ word: String) throws -> (UInt32, UInt32) {
        let ends = word.split(separator: ">").compactMap { UInt32($0) }
        guard ends.count == 2 else { throw Failure(description: "no way like A>B: \(word)") }
        return (ends[0], ends[1])
    }
}

/// One effect on one line, as transcripts have it.
func describe(_ effect: RaftEffect, of member: Member) -> String {
    let node = member.node
    return switch effect {
    case .persistVote(let state): "\(node): persistVote t\(state.term) for \(state.vote?.node.description ?? "nobody")"
    case .send(let message, let to): "\(node) -> \(to.node): \(describe(message))"
    case .becameLeader(let term): "\(node): becameLeader t\(term)"
    case .becameFollower(let term, let leader): "\(node): becameFollower t\(term) of \(leader?.description ?? "nobody")"
    case .becameCandidate(let term): "\(node): becameCandidate t\(term)"
    case .regainedVote: "\(node): regainedVote"
    case .committed(let position): "\(node): committed through \(position)"
    case .transferFailed: "\(node): transferFailed"
    case .readReady(let id, let commit): "\(node): readReady \(id) at \(commit)"
    case .readRefused(let id): "\(node): readRefused \(id)"
    }
}

private func describe(_ message: RaftMessage) -> String {
    switch message {
    case .voteRequest(let request):
        return "\(request.isPreVote ? "preVote" : "vote")? t\(request.term) last \(request.last)"
    case .voteReply(let reply):
        let answer = reply.refusal.map { "no, \($0)" } ?? "yes"
        return "\(reply.isPreVote ? "preVote" : "vote") \(answer) t\(reply.term)"
    case .heartbeat(let heartbeat):
        return "heartbeat t\(heartbeat.term) commit \(heartbeat.commit) round \(heartbeat.readRound)"
    case .heartbeatReply(let reply):
        return "heartbeatReply t\(reply.term) round \(reply.readRound)"
    case .transferRequest(let request):
        return "campaign now t\(request.term)"
    case .readRequest(let request):
        return "read? t\(request.term)"
    case .readReply(let reply):
        return "read t\(reply.term) at \(reply.commit)"
    }
}
