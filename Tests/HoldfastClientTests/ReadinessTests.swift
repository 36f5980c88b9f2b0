import Testing

@testable import HoldfastClient

/// When the next node of a rolling upgrade may be restarted.
@Suite struct ReadinessTests {
    private typealias Picture = DiagnosisTests.Picture

    private func unready(since target: UInt64 = 10, _ change: (inout Picture) -> Void) -> [String] {
        var picture = Picture()
        change(&picture)
        return Diagnosis.unready(picture.sight, since: target)
    }

    @Test func `three voters that follow and are level are ready`() {
        #expect(self.unready { _ in } == [])
        // Appends go on meanwhile.
        let busy = self.unready {
            $0.change(2) { $0.lastIndex = 12 }
            $0.change(2, about: 3) { $0.missingBytes = 1 << 20 }
        }
        #expect(busy == [])
    }

    @Test func `whoever does not answer, follow, or have its log whole is named`() {
        let gone = self.unready {
            $0.silence(3)
            $0.change(2, about: 3) { $0.isConnected = false }
        }
        #expect(gone == ["n3 cannot be reached at 127.0.0.1:7430: refused"])
        #expect(self.unready { $0.silence(3, .hangs) }.first?.hasPrefix("n3 takes connections") == true)
        let other = self.unready { $0.change(1) { $0.term = 4 } }
        #expect(other == ["n1 does not follow n2 in term 5 yet: it is in term 4"])
        let alone = self.unready { $0.change(3) { ($0.leader, $0.isReady) = (nil, false) } }
        #expect(alone == ["n3 does not follow n2 in term 5 yet: it is in term 5"])
        let lost = self.unready { $0.change(3) { $0.health = Picture.health(mayVote: false) } }
        #expect(lost.first?.hasPrefix("n3 may not vote") == true)
        let damaged = self.unready { $0.change(2) { $0.health = Picture.health(damaged: [4]) } }
        #expect(damaged.first?.hasPrefix("n2 has damage in segment 4") == true)
        let apart = self.unready { $0.change(2, about: 3) { $0.isConnected = false } }
        #expect(apart.first?.hasPrefix("n2 has no connection to n3") == true)
    }

    @Test func `whoever is behind is named, in bytes or in records`() {
        let bytes = self.unready {
            $0.change(3) { $0.lastIndex = 9 }
            $0.change(2, about: 3) { $0.missingBytes = 1 << 20 }
        }
        #expect(bytes == ["n3 is not known to have the last 1 MiB of n2's log, 1 record shown later"])
        // Ten thousand empty records are few bytes.
        let records = self.unready(since: 10) { $0.change(3) { $0.lastIndex = 9 } }
        #expect(records == ["n3 is at record 9, and has to reach 10"])
    }

    @Test func `a node that the leader does not list is not waited for`() {
        var picture = Picture()
        picture.statuses[4] = picture.statuses[3]
        picture.change(4) { ($0.node, $0.retired) = (4, "the cluster was recovered without it") }
        #expect(picture.sight.node(4)?.status?.retired != nil)
        #expect(Diagnosis.unready(picture.sight, since: 10) == [])
    }

    @Test func `learners are not waited for, and without a leader nobody is ready`() {
        let learner = self.unready {
            $0.silence(3)
            $0.change(2, about: 3) { $0.membership = .learner }
        }
        #expect(learner == [])
        #expect(Diagnosis.unready(Picture(leader: nil).sight, since: 0) == ["nobody leads"])
        let unproven = self.unready { $0.change(2) { $0.isReady = false } }
        #expect(unproven == ["n2 leads, and has not committed anything in its term yet"])
    }
}
