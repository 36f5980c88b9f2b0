import Glibc
import HTTP2Transport
import Logging
import Testing

@testable import HoldfastNode

@Suite struct DescriptorLimitTests {
    @Test func `a process may have as many files open as its connections and its log need`() throws {
        #expect(DescriptorLimit.needed > HTTP2Limits.untrusted.connectionsMax + 512)
        var limit = rlimit()
        try #require(getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0)
        let now = DescriptorLimit.raise(logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        #expect(now >= min(DescriptorLimit.needed, limit.rlim_max))
        #expect(now >= limit.rlim_cur, "never lowered")
    }
}
