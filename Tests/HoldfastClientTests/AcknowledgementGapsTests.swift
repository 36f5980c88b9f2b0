import Testing

@testable import HoldfastClient

@Suite struct AcknowledgementGapsTests {
    private static func gaps(_ times: UInt64...) -> AcknowledgementGaps {
        times.reduce(into: AcknowledgementGaps()) { $0.acknowledged(at: $1) }
    }

    @Test func `the longest gap is that between two acknowledgements, whatever came before and after`() {
        let gaps = Self.gaps(100, 110, 140, 150)
        #expect(gaps.between == 30)
        #expect(Self.gaps(100).between == 0 && Self.gaps().between == 0)
    }

    @Test(arguments: [(95, 155, 30), (50, 155, 50), (95, 200, 50)] as [(UInt64, UInt64, UInt64)])
    func `silence at either end counts for the whole`(began: UInt64, ended: UInt64, longest: UInt64) {
        #expect(Self.gaps(100, 110, 140, 150).longest(from: began, through: ended) == longest)
    }

    @Test func `without any acknowledgement all of it was silent`() {
        #expect(Self.gaps().longest(from: 100, through: 900) == 800)
    }

    @Test func `what is told late ends no gap and begins none`() {
        let gaps = Self.gaps(100, 140, 120, 150)
        #expect(gaps.between == 40)
        #expect(gaps.longest(from: 100, through: 150) == 40)
        #expect(Self.gaps(140, 120).longest(from: 100, through: 140) == 20)
    }
}
