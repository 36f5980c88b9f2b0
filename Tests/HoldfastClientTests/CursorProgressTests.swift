import LogModel
import Testing

@testable import HoldfastClient

@Suite struct CursorProgressTests {
    private let start = ContinuousClock.now

    private var progress: CursorProgress {
        var options = ConsumerOptions()
        options.recordsMax = 3
        options.interval = .seconds(10)
        return CursorProgress(from: LogIndex(7), options)
    }

    @Test func `nothing is due before something was handled`() {
        #expect(self.progress.isStored && self.progress.deadline == nil && self.progress.next == LogIndex(7))
        #expect(!self.progress.isDue(at: self.start + .seconds(1_000)))
    }

    @Test func `a position is due after so many records`() {
        var progress = self.progress
        for index: UInt64 in 7...9 {
            #expect(!progress.isDue(at: self.start))
            progress.handled(LogIndex(index), at: self.start)
        }
        #expect(progress.isDue(at: self.start) && progress.next == LogIndex(10))
        progress.stored()
        #expect(progress.isStored && !progress.isDue(at: self.start + .seconds(1_000)))
    }

    @Test func `a position is due so long after the first record that it does not tell`() {
        var progress = self.progress
        progress.handled(LogIndex(7), at: self.start)
        progress.handled(LogIndex(8), at: self.start + .seconds(9))
        #expect(progress.deadline == self.start + .seconds(10))
        #expect(!progress.isDue(at: self.start + .seconds(9)) && progress.isDue(at: self.start + .seconds(10)))
    }
}
