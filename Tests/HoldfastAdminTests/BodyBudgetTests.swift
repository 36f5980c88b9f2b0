import Testing

@testable import HoldfastAdmin

@Suite struct BodyBudgetTests {
    private static let uncounted = AdminLimits.mirroredUncountedByteCount

    @Test func `large bodies share a bound, and give back what they had`() {
        let budget = BodyBudget(byteCountMax: 1_000)
        do {
            let (first, second) = (BodyBudget.Share(of: budget), BodyBudget.Share(of: budget))
            #expect(first.grow(by: Self.uncounted + 900))
            #expect(second.grow(by: Self.uncounted + 100))
            #expect(!second.grow(by: 1))
            #expect(!first.grow(by: 1))
        }
        let third = BodyBudget.Share(of: budget)
        #expect(third.grow(by: Self.uncounted + 1_000))
    }

    @Test func `small bodies are let in while large ones take all that there is`() {
        let budget = BodyBudget(byteCountMax: 1_000)
        let large = BodyBudget.Share(of: budget)
        #expect(large.grow(by: Self.uncounted + 1_000))
        let small = BodyBudget.Share(of: budget)
        #expect(small.grow(by: Self.uncounted))
        #expect(!small.grow(by: 1))
    }
}
