import NIOCore
import Testing

@testable import HTTP2Transport

@Suite struct NetworkTests {
    private func address(_ text: String) throws -> SocketAddress? { try SocketAddress(ipAddress: text, port: 1) }

    @Test func `an IPv4 address is one, however it is written, and of no network`() throws {
        for text in ["192.0.2.7", "::ffff:192.0.2.7"] {
            let address = try self.address(text)
            #expect(address.host == [192, 0, 2, 7] && address.network == nil)
        }
    }

    @Test func `the addresses of an IPv6 network are told apart, and have its first 64 bits in common`() throws {
        let (one, other) = try (self.address("2001:db8:1:2::1"), self.address("2001:db8:1:2:ffff::9"))
        #expect(one.host != other.host && one.network == other.network)
        #expect(one.network == [0x20, 1, 0x0D, 0xB8, 0, 1, 0, 2])
        #expect(try one.network != self.address("2001:db8:1:3::1").network)
    }
}

@Suite struct SourceCountsTests {
    private func address(_ text: String) throws -> SocketAddress { try SocketAddress(ipAddress: text, port: 1) }

    @Test func `an address has its share, and others have theirs`() throws {
        var counts = SourceCounts()
        let (one, other) = try (self.address("192.0.2.7"), self.address("192.0.2.8"))
        for isIn in [true, true, false] {
            let isCounted = counts.add(one, perAddressMax: 2, perNetworkMax: 9)
            #expect(isCounted == isIn)
        }
        let isOtherIn = counts.add(other, perAddressMax: 2, perNetworkMax: 9)
        #expect(isOtherIn)
        // What was not counted has taken nothing, and what has gone makes room.
        counts.remove(one)
        for isIn in [true, false] {
            let isCounted = counts.add(one, perAddressMax: 2, perNetworkMax: 9)
            #expect(isCounted == isIn)
        }
    }

    @Test func `the addresses of an IPv6 network share one bound`() throws {
        var counts = SourceCounts()
        for number in 1...5 {
            let isIn = try counts.add(self.address("2001:db8::\(number)"), perAddressMax: 2, perNetworkMax: 4)
            #expect(isIn == (number <= 4))
        }
        let isNeighbourIn = try counts.add(self.address("2001:db8:0:1::1"), perAddressMax: 2, perNetworkMax: 4)
        #expect(isNeighbourIn)
    }
}
