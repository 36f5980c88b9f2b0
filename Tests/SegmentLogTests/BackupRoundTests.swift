import LogModel
import Testing

@testable import SegmentLog

@Suite struct BackupRoundTests {
    private func verdict(_ answers: [BackupRound.Answer], of serverCount: Int, isLate: Bool) -> BackupRound.Verdict {
        var round = BackupRound(serverCount: serverCount)
        for answer in answers { round.heard(answer) }
        return round.verdict(isLate: isLate)
    }

    @Test func `one server without a frame does not speak for others that may have it`() {
        #expect(self.verdict([.noSuchFrame, .notNow], of: 2, isLate: false) == .again)
        #expect(self.verdict([.noSuchFrame, .noSuchFrame], of: 2, isLate: false) == .noSuchFrame)
        #expect(self.verdict([.noSuchFrame, .trimmed], of: 2, isLate: false) == .noSuchFrame)
        #expect(self.verdict([.noSuchFrame], of: 1, isLate: false) == .noSuchFrame)
    }

    @Test func `when the time is up, whoever says that there is none is believed`() {
        #expect(self.verdict([.notNow, .noSuchFrame, .notNow], of: 3, isLate: true) == .noSuchFrame)
        #expect(self.verdict([.notNow, .notNow], of: 2, isLate: true) == .failed)
        #expect(self.verdict([], of: 0, isLate: true) == .failed)
    }

    @Test func `what all have trimmed is not waited for`() {
        #expect(self.verdict([.trimmed, .trimmed], of: 2, isLate: false) == .failed)
        #expect(self.verdict([.trimmed, .notNow], of: 2, isLate: false) == .again)
    }

    @Test func `frames count under their own generation only`() {
        let outline = BackupOutline(
            cluster: ClusterID(high: 1, low: 2), generation: 3, node: NodeID(1), first: .first, commit: .zero,
            byteCount: 0)
        #expect(outline.standing(of: 3) == .same)
        #expect(outline.standing(of: 2) == .older)
        #expect(outline.standing(of: 4) == .newer)
    }
}
