import LogModel
import Testing

@testable import HoldfastClient

struct TimeSearchTests {
    /// Searches records of these times, the first of which has index `first`.
    private static func search(_ times: [Int], from first: UInt64, for moment: Int) -> (answer: UInt64, looks: Int) {
        var search = TimeSearch(LogIndex(first)..<LogIndex(first + UInt64(times.count)))
        var looks = 0
        while let probe = search.probe {
            looks += 1
            search.saw(probe, isBefore: times[Int(probe.rawValue - first)] < moment)
        }
        return (search.answer.rawValue, looks)
    }

    @Test func `Every moment is found in every small log, trimmed or not, with equal times among them`() {
        for times in [[], [5], [5, 5], [1, 3, 3, 3, 7], [2, 4, 6, 8, 10, 12], [1, 1, 2, 2, 9]] as [[Int]] {
            for first in [1, 100] as [UInt64] {
                for moment in 0...13 {
                    let expected = first + UInt64(times.count { $0 < moment })
                    let found = Self.search(times, from: first, for: moment).answer
                    #expect(found == expected, "\(moment) in \(times)")
                }
            }
        }
    }

    @Test func `A million records take twenty looks`() {
        let found = Self.search(Array(0..<1_000_000), from: 1, for: 777_777)
        #expect(found.answer == 777_778 && found.looks <= 20)
    }
}
