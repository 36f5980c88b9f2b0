import NIOCore
import Testing

@testable import Replicator

struct CommitTellingTests {
    @Test func `an append close behind another is one of many, and one after a pause is not`() {
        var telling = CommitTelling()
        var now = NIODeadline.uptimeNanoseconds(10_000_000_000)
        telling.proposed(at: now)
        #expect(!telling.isBusy)
        now = now + .microseconds(400)
        telling.proposed(at: now)
        #expect(telling.isBusy)
        now = now + .milliseconds(1)
        telling.proposed(at: now)
        #expect(!telling.isBusy)
    }
}
