import Testing

@testable import HoldfastClient

@Suite struct QuietFillingTests {
    private static let filling = QuietFilling(millisecondsMax: 90_000)

    @Test func `nodes are full after half a minute and 40 MiB, whichever comes later`() {
        #expect(Self.filling.state(acknowledged: 60 << 20, after: 29_999) == .filling)
        #expect(Self.filling.state(acknowledged: 40 << 20, after: 30_000) == .full)
        #expect(Self.filling.state(acknowledged: (40 << 20) - 1, after: 30_000) == .filling)
        #expect(Self.filling.state(acknowledged: 40 << 20, after: 89_000) == .full)
    }

    @Test func `one that never gets there is too slow`() {
        #expect(Self.filling.state(acknowledged: (40 << 20) - 1, after: 89_999) == .filling)
        #expect(Self.filling.state(acknowledged: (40 << 20) - 1, after: 90_000) == .tooSlow)
        // Where there is no time beyond the least there is.
        let short = QuietFilling(millisecondsMax: QuietFilling.millisecondsMin)
        #expect(short.state(acknowledged: 0, after: 30_000) == .tooSlow)
        #expect(short.state(acknowledged: 40 << 20, after: 30_250) == .full)
    }

    @Test func `what is seen full when the part is nearly over is seen too late`() {
        #expect(Self.filling.state(acknowledged: 60 << 20, after: 95_000) == .full)
        #expect(Self.filling.state(acknowledged: 60 << 20, after: 95_001) == .tooSlow)
    }
}
