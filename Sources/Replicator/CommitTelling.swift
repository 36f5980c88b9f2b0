import LogModel
import NIOCore

/// When followers hear of a commit that no RANGE carries: readers there see what was appended hardly later than the
/// leader's own, and a busy leader sends nothing more for it.
struct CommitTelling {
    /// An append behind another within this time is one of many: the next one's RANGE carries the commit.
    private static let busyMicroseconds: Int64 = 700
    /// How long a commit waits for that RANGE, and once more as long behind another one.
    static let patienceMilliseconds: Int64 = 3

    private var proposedAt = NIODeadline.uptimeNanoseconds(0)
    /// The last append came close behind another one.
    private(set) var isBusy = false
    var isScheduled = false

    mutating func proposed(at now: NIODeadline) {
        self.isBusy = now - self.proposedAt < .microseconds(Self.busyMicroseconds)
        self.proposedAt = now
    }
}

extension ReplicatorLoop {
    func tellCommit() {
        guard self.core.raft.role == .leader else { return }
        if self.telling.isBusy { self.tellCommitSoon() } else { self.tellUnlessKnown(self.core.commit) }
    }

    /// What is committed while the timer runs has a time of its own.
    private func tellCommitSoon() {
        guard !self.telling.isScheduled else { return }
        self.telling.isScheduled = true
        let commit = self.core.commit
        let bound = NIOLoopBound(self, eventLoop: self.eventLoop)
        self.eventLoop.scheduleTask(in: .milliseconds(CommitTelling.patienceMilliseconds)) {
            let loop = bound.value
            loop.telling.isScheduled = false
            guard !loop.isStopped else { return }
            loop.tellUnlessKnown(commit)
            if loop.core.owes(loop.core.commit) { loop.tellCommitSoon() }
        }
    }

    private func tellUnlessKnown(_ commit: Position) {
        if self.core.owes(commit) { self.take(.ticked) }
    }
}
