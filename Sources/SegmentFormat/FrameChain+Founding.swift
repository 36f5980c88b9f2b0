import LogModel

extension FrameChain {
    /// The first bytes of a new log: segment 0's header and the founding checkpoint (term 0, time 0, node 0), the same
    /// on every node that forms with the same payload.
    ///
    /// - Parameter payload: The log's own state before anything, encoded.
    package static func foundingBytes(cluster: ClusterID, checkpoint payload: [UInt8]) -> [UInt8] {
        var chain = FrameChain(empty: cluster)
        let header = chain.startSegment()
        let frame = chain.place(
            .control(.checkpoint, payload: payload), term: .zero, node: NodeID(0), timestamp: .zero)
        return header + frame.bytes
    }
}
