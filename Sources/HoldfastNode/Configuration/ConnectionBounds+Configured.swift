import HoldfastAdmin

extension ConnectionBounds {
    /// - Returns: `nil` when something is wrong, which is noted.
    static func read(_ reading: inout ConfigurationReading) -> ConnectionBounds? {
        reading.connections(.adminConnectionsMax, ofOneAddress: .adminConnectionsPerAddressMax).map {
            var bounds = ConnectionBounds()
            bounds.connectionsMax = $0.max
            bounds.connectionsPerAddressMax = $0.perAddressMax
            return bounds
        }
    }
}
