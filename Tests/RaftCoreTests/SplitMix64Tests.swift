import RaftCore
import Testing

@Suite struct SplitMix64Tests {
    @Test func `the sequence of a seed never changes`() {
        var random = SplitMix64(seed: 1_234_567)
        let expected: [UInt64] = [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]
        for value in expected { #expect(random.next() == value) }
    }

    @Test func `a range is kept to`() {
        var random = SplitMix64(seed: 7)
        var seen: Set<UInt64> = []
        for _ in 0..<200 { seen.insert(random.next(in: 20..<25)) }
        #expect(seen == [20, 21, 22, 23, 24])
    }
}
