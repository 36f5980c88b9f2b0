import LogModel
import RaftCore
import Testing

@Suite struct CommonPointTests {
    /// A log as the paper draws it: the term of each frame, behind a founding checkpoint.
    private func log(_ terms: UInt64...) -> [TestNode.Frame] {
        var frames = [TestNode.founding]
        for term in terms { frames.append(TestNode.frame(after: frames, term: Term(term), content: 0)) }
        return frames
    }

    private func common(
        _ leader: [TestNode.Frame], _ follower: [TestNode.Frame], commit: LogPoint = .zero, termCount: Int = 64
    ) -> LogPoint {
        commonPoint(
            leaderTerms: TestNode.terms(of: leader).suffix(termCount), leaderTail: TestNode.tail(of: leader),
            followerTerms: TestNode.terms(of: follower).suffix(termCount), followerTail: TestNode.tail(of: follower),
            followerCommit: commit)
    }

    /// The leader of term 8 in Raft Figure 7, with its term start.
    private var leader: [TestNode.Frame] { self.log(1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 8) }

    private func end(of count: Int) -> LogPoint { TestNode.tail(of: Array(self.leader.prefix(count + 1))) }

    @Test func `figure 7 a: a follower that lacks one frame keeps all`() {
        #expect(self.common(self.leader, self.log(1, 1, 1, 4, 4, 5, 5, 6, 6)) == self.end(of: 9))
    }

    @Test func `figure 7 b: a follower that lacks many keeps all`() {
        #expect(self.common(self.leader, self.log(1, 1, 1, 4)) == self.end(of: 4))
    }

    @Test func `figure 7 c: an extra frame of a shared term goes`() {
        #expect(self.common(self.leader, self.log(1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6)) == self.end(of: 10))
    }

    @Test func `figure 7 d: frames of a term that the leader lacks go`() {
        #expect(self.common(self.leader, self.log(1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7)) == self.end(of: 10))
    }

    @Test func `figure 7 e: more frames of a shared term than the leader has go`() {
        #expect(self.common(self.leader, self.log(1, 1, 1, 4, 4, 4, 4)) == self.end(of: 5))
    }

    @Test func `figure 7 f: terms that the leader never had go`() {
        #expect(self.common(self.leader, self.log(1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3)) == self.end(of: 3))
    }

    @Test func `equal logs agree through their tail`() {
        #expect(self.common(self.leader, self.leader) == self.end(of: 11))
    }

    @Test func `an empty follower begins at the very beginning`() {
        #expect(self.common(self.leader, []) == .zero)
    }

    @Test func `tables that do not overlap fall back to the follower's commit`() {
        let commit = self.end(of: 2)
        #expect(self.common(self.leader, self.log(1, 1, 1, 2), commit: commit, termCount: 1) == commit)
    }

    @Test func `a term start of the same number elsewhere is not shared`() {
        #expect(self.common(self.log(1, 3), self.log(1, 2, 3)) == TestNode.tail(of: self.log(1)))
    }

    @Test func `it is the longest common prefix of any two logs`() {
        var random = SplitMix64(seed: 20)
        for _ in 0..<2000 {
            var logs = [[TestNode.founding], [TestNode.founding], [TestNode.founding]]
            var content = 0
            // Each term: a leader whose frames others take, in order, up to anywhere.
            for term in 1...UInt64(2 + random.next() % 6) {
                let leader = Int(random.next() % 3)
                for _ in 0...random.next() % 9 {
                    content += 1
                    logs[leader].append(TestNode.frame(after: logs[leader], term: Term(term), content: content))
                }
                for follower in 0..<3 where follower != leader && random.next() % 2 == 0 {
                    let shared = zip(logs[leader], logs[follower]).prefix { $0 == $1 }.count
                    let taken = Int(random.next(in: 0..<UInt64(logs[leader].count - shared + 1)))
                    // As shipped by a stream: nothing of the follower's goes before something new comes.
                    if taken > 0 { logs[follower] = Array(logs[leader].prefix(shared + taken)) }
                }
            }
            for (one, other) in [(0, 1), (1, 2), (2, 0)] {
                let shared = zip(logs[one], logs[other]).prefix { $0 == $1 }.map(\.0)
                #expect(self.common(logs[one], logs[other]) == TestNode.tail(of: shared))
            }
        }
    }
}
