import WireFormat

#if DEBUG
    import Glibc
#endif

/// Which version of the peer protocol this node says that it speaks.
enum PeerProtocol {
    #if DEBUG
        /// Debug builds pass for a node of another build where a test asks for it; a release knows no such variable.
        static let version =
            getenv("HOLDFAST_TEST_PEER_PROTOCOL").flatMap { UInt16(String(cString: $0)) } ?? WireLimits.version
    #else
        static let version = WireLimits.version
    #endif
}
