/// One segment of a node's log.
package struct SegmentDocument: Codable, Hashable, Sendable {
    package var segment: UInt32
    package var firstIndex: UInt64
    package var records: UInt64
    package var bytes: Int
    /// `active`, `sealed`, `quarantined` (damaged, and not repaired yet) or `repairing`.
    package var state: String
    /// Of its frames, ascending.
    package var terms: [UInt64]

    package init(segment: UInt32, firstIndex: UInt64, records: UInt64, bytes: Int, state: String, terms: [UInt64]) {
        self.segment = segment
        self.firstIndex = firstIndex
        self.records = records
        self.bytes = bytes
        self.state = state
        self.terms = terms
    }

    private enum CodingKeys: String, CodingKey {
        case segment, records, bytes, state, terms
        case firstIndex = "first_index"
    }
}

/// The answer of `GET /admin/v1/segments`.
struct SegmentMap: Codable, Hashable {
    var node: UInt32
    var segments: [SegmentDocument]
}
