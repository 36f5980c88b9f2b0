import Glibc
import HTTP2Transport
import Testing

@testable import HoldfastNode

@Suite struct DescriptorLimitTests {
    @Test func `a process may have as many files open as its connections and its log need`() throws {
        let clients = ClientConnections()
        let needed = DescriptorLimit.needed(for: clients)
        #expect(needed > HTTP2Limits.untrusted.connectionsMax + 512)
        #expect(
            DescriptorLimit.needed(for: ClientConnections(max: 4_096, perAddressMax: 1)) == needed - clients.max + 4_096
        )
        var limit = rlimit()
        try #require(getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0)
        let now = DescriptorLimit.raise(to: needed)
        #expect(now >= min(needed, Int(clamping: limit.rlim_max)))
        #expect(now >= Int(clamping: limit.rlim_cur), "never lowered")
    }

    @Test func `a limit that is too low for a node's clients is told with what is needed`() {
        let many = ClientConnections(max: 4_096, perAddressMax: 4_096)
        #expect(
            DescriptorLimit.shortage(of: 5_119, for: many)
                == ["max": "5119", "reason": "5120 may be needed, 4096 of them for clients"])
        #expect(DescriptorLimit.shortage(of: 5_120, for: many) == nil)
    }
}
