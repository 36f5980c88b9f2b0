import Testing

@testable import Replicator

@Suite struct ProtocolRangeTests {
    @Test(arguments: [("1", 1, 1), ("1-2", 1, 2), ("7-7", 7, 7), ("0-65535", 0, 65_535)] as [(String, UInt16, UInt16)])
    func `a version or a range is read`(text: String, lowest: UInt16, highest: UInt16) throws {
        let range = try #require(ProtocolRange(text))
        #expect(range.lowest == lowest && range.highest == highest)
        #expect(range.description == (lowest == highest ? "\(lowest)" : text))
    }

    @Test(arguments: ["", "-", "1-", "-1", "2-1", "1-2-3", "x", "1 - 2", "+1", "1.0", "65536", "1-65536", "١"])
    func `anything else is no range`(text: String) { #expect(ProtocolRange(text) == nil) }

    @Test func `the highest common version is found, or none`() throws {
        let ranges = (1...4).flatMap { low in (low...4).map { ProtocolRange(UInt16(low)...UInt16($0)) } }
        for one in ranges {
            for other in ranges {
                let common = (UInt16(1)...4).filter { one.contains($0) && other.contains($0) }
                #expect(one.highestCommon(with: other) == common.max(), "\(one) and \(other)")
                #expect(one.highestCommon(with: other) == other.highestCommon(with: one))
            }
        }
    }

    @Test func `an offer goes down and up with what the peer says, and stands where nothing is common`() {
        var offer = ProtocolOffer(ProtocolRange(1...3))
        #expect(offer.range.description == "1-3")
        #expect(offer.heard(ProtocolRange(1...1)) == .changed && offer.range.description == "1")
        #expect(offer.heard(ProtocolRange(1...1)) == .same)
        #expect(offer.heard(ProtocolRange(2...4)) == .changed && offer.range.description == "1-3")
        #expect(offer.heard(ProtocolRange(0...2)) == .changed && offer.range.description == "1-2")
        #expect(offer.heard(ProtocolRange(4...5)) == .nothingCommon && offer.range.description == "1-2")
    }

    @Test func `an agreement is told once on a connection, however often answers differ`() {
        var told = ToldAgreements()
        let first = [2, 2, 1, 2, 1, 1, 2].map { told.agreed(on: $0) }
        #expect(first == [true, false, true, false, false, false, false])
        told.connected()
        let second = [1, 2, 1].map { told.agreed(on: $0) }
        #expect(second == [false, true, false], "version 1 was the last that was told of")
    }

    @Test func `an agreement after none is told again on the next connection, and one that stands is not`() {
        var told = ToldAgreements()
        let first = told.agreed(on: 2)
        told.connected()
        let again = told.agreed(on: 2)
        told.disagreed()
        // On this connection nobody is told of it any more.
        let back = told.agreed(on: 2)
        told.connected()
        let next = told.agreed(on: 2)
        #expect([first, again, back, next] == [true, false, false, true])
    }
}
