import LogModel
import Testing

@testable import Replicator

struct ReadStartTests {
    @Test(
        arguments: [
            (.first, 5), (.tail, 9), (.index(LogIndex(3)), 3), (.index(LogIndex(12)), 12), (.last(0), 9), (.last(3), 6),
            (.last(4), 5), (.last(6), 5), (.last(.max), 5),
        ] as [(ReadStart, UInt64)])
    func `a read begins within the log, unless it names an index`(_ start: ReadStart, _ index: UInt64) {
        #expect(start.index(first: LogIndex(5), next: LogIndex(9)) == LogIndex(index))
    }
}
