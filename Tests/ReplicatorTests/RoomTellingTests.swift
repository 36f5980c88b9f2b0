import LogModel
import ReplicaCore
import Testing

@testable import Replicator

@Suite struct RoomTellingTests {
    private enum Step {
        case changed(DiskRoom, at: UInt64)
        case looked(at: UInt64)
    }

    /// Which of the steps are news, by their places.
    private static func news(of steps: [Step]) -> [Int] {
        func at(_ milliseconds: UInt64) -> MonotonicTime { MonotonicTime(nanoseconds: milliseconds * 1_000_000) }
        var telling = RoomTelling()
        return steps.indices.filter { place in
            switch steps[place] {
            case .changed(let room, let time): telling.changed(to: room, at: at(time))
            case .looked(let time): telling.held(at: at(time)) != nil
            }
        }
    }

    @Test func `less room is told at once, and enough of it once that has held`() {
        let news = Self.news(of: [
            .looked(at: 0), .changed(.activeSegmentOnly, at: 0), .changed(.none, at: 10), .changed(.enough, at: 20),
            .looked(at: 3_019), .looked(at: 3_020), .looked(at: 9_000), .changed(.activeSegmentOnly, at: 9_000),
        ])
        #expect(news == [1, 2, 5, 7])
    }

    @Test func `room for this segment is told, too, and room for the next one after it`() {
        let news = Self.news(of: [
            .changed(.none, at: 0), .changed(.activeSegmentOnly, at: 1_000), .looked(at: 4_000),
            .changed(.enough, at: 5_000),
            .looked(at: 7_999), .looked(at: 8_000), .looked(at: 20_000),
        ])
        #expect(news == [0, 2, 5])
    }

    @Test func `what is told has held itself, and not only what was before it`() {
        let news = Self.news(of: [
            .changed(.none, at: 0), .changed(.activeSegmentOnly, at: 1_000), .changed(.enough, at: 3_990),
            .looked(at: 4_000), .looked(at: 6_990),
        ])
        #expect(news == [0, 4])
    }

    @Test func `room that comes in drops is no news`() {
        let drops = (1...100).flatMap { (step: UInt64) -> [Step] in
            [
                .changed(step % 2 == 0 ? .enough : .activeSegmentOnly, at: step * 200), .looked(at: step * 200 + 50),
                .changed(.none, at: step * 200 + 100),
                .looked(at: step * 200 + 150),
            ]
        }
        #expect(Self.news(of: [.changed(.none, at: 0)] + drops + [.looked(at: 60_000)]) == [0])
    }
}
