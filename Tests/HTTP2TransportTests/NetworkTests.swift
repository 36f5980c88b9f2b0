import NIOCore
import Testing

@testable import HTTP2Transport

@Suite struct NetworkTests {
    private func network(_ address: String) throws -> [UInt8] {
        try SocketAddress?.some(SocketAddress(ipAddress: address, port: 1)).network
    }

    @Test func `an IPv4 address is one, however it is written`() throws {
        #expect(try self.network("192.0.2.7") == [192, 0, 2, 7])
        #expect(try self.network("::ffff:192.0.2.7") == [192, 0, 2, 7])
        #expect(try self.network("192.0.2.7") != self.network("192.0.2.8"))
    }

    @Test func `the addresses of an IPv6 network are one`() throws {
        #expect(try self.network("2001:db8:1:2::1") == self.network("2001:db8:1:2:ffff::9"))
        #expect(try self.network("2001:db8:1:2::1") != self.network("2001:db8:1:3::1"))
    }
}
