import LogModel
import Testing

@testable import HoldfastNode

@Suite struct RepeatLimitTests {
    private static let kind = RepeatLimit.Kind(level: .warning, message: "connection refused: too many")

    @Test func `ten of a kind pass in an interval, the others are counted and told when it is over`() {
        var limit = RepeatLimit()
        let other = RepeatLimit.Kind(level: .error, message: Self.kind.message)
        let written = (0..<67).filter { limit.arrived(Self.kind, now: MonotonicTime(nanoseconds: UInt64($0))) }
        #expect(written.count == 10)
        let isOtherWritten = limit.arrived(other, now: .zero)
        #expect(isOtherWritten, "another level is another kind")
        let early = limit.ended(now: MonotonicTime(nanoseconds: RepeatLimit.intervalNanoseconds - 1))
        #expect(early.isEmpty)
        let ended = limit.ended(now: MonotonicTime(nanoseconds: RepeatLimit.intervalNanoseconds))
        #expect(ended.map(\.kind) == [Self.kind] && ended.map(\.count) == [57])
        let isWrittenAgain = limit.arrived(Self.kind, now: MonotonicTime(nanoseconds: RepeatLimit.intervalNanoseconds))
        #expect(isWrittenAgain)
    }

    @Test func `so many kinds are remembered, and further ones are one`() {
        var limit = RepeatLimit()
        for number in 0..<RepeatLimit.kindCountMax {
            _ = limit.arrived(.init(level: .info, message: "\(number)"), now: .zero)
        }
        let further = (0..<20).filter { limit.arrived(.init(level: .warning, message: "new \($0)"), now: .zero) }
        #expect(further.count == RepeatLimit.countMax)
        let known = (0..<20).filter { _ in limit.arrived(.init(level: .info, message: "1"), now: .zero) }
        #expect(known.count == 9, "one has come before")
        let ended = limit.ended(now: MonotonicTime(nanoseconds: RepeatLimit.intervalNanoseconds))
        #expect(ended.first { $0.kind.message == RepeatLimit.furtherKinds }?.count == 10)
    }
}
