#if DEBUG
    import Glibc
#endif

/// Which versions of the peer protocol this node says that it speaks.
enum PeerProtocol {
    /// A release that adds a version goes on speaking the one before, since nodes go over to it one by one; a later release
    /// may leave that. WireFormat has the layouts of all of them.
    static let own = ProtocolRange(1...1)

    #if DEBUG
        /// Debug builds pass for a node of another build where a test asks for it (`2`, `1-2`); a release knows no such
        /// variable.
        static let spoken = getenv("HOLDFAST_TEST_PEER_PROTOCOL").flatMap { ProtocolRange(String(cString: $0)) } ?? own
    #else
        static let spoken = own
    #endif
}
