/// What a node did lately: rates over the last seconds, and a point for each second of the last minute.
package struct RecentActivity: Codable, Hashable, Sendable {
    package struct Quantiles: Codable, Hashable, Sendable {
        package var p50: Double
        package var p99: Double
    }

    package struct Point: Codable, Hashable, Sendable {
        /// Its end, in seconds since 1970.
        package var time: Double
        package var recordsPerSecond: Double
        package var bytesPerSecond: Double
        /// `nil` when there was none in that second.
        package var appendSeconds: Quantiles?
        package var syncSeconds: Quantiles?

        private enum CodingKeys: String, CodingKey {
            case time
            case recordsPerSecond = "records_per_second"
            case bytesPerSecond = "bytes_per_second"
            case appendSeconds = "append_seconds"
            case syncSeconds = "sync_seconds"
        }
    }

    /// What the rates are over.
    package var seconds: Double = 0
    package var appendsPerSecond: Double = 0
    package var recordsPerSecond: Double = 0
    package var bytesPerSecond: Double = 0
    package var syncsPerSecond: Double = 0
    package var appendSeconds: Quantiles?
    package var syncSeconds: Quantiles?
    /// Oldest first.
    package var points: [Point] = []

    package init() {}

    private enum CodingKeys: String, CodingKey {
        case seconds, points
        case appendsPerSecond = "appends_per_second"
        case recordsPerSecond = "records_per_second"
        case bytesPerSecond = "bytes_per_second"
        case syncsPerSecond = "syncs_per_second"
        case appendSeconds = "append_seconds"
        case syncSeconds = "sync_seconds"
    }
}
