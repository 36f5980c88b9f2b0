import WireFormat

#if DEBUG
    import Glibc
#endif

/// Which versions of the peer protocol this node says that it speaks.
enum PeerProtocol {
    private static let own = ProtocolRange(WireLimits.version...WireLimits.version)

    #if DEBUG
        /// Debug builds pass for a node of another build where a test asks for it (`2`, `1-2`); a release knows no such
        /// variable.
        static let spoken = getenv("HOLDFAST_TEST_PEER_PROTOCOL").flatMap { ProtocolRange(String(cString: $0)) } ?? own
    #else
        static let spoken = own
    #endif
}
