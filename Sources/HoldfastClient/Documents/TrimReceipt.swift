import LogModel

/// Where the log begins after a trim.
public struct TrimReceipt: Hashable, Sendable {
    /// The index of the first record that is kept, whether or not it is there yet.
    public var firstIndex: LogIndex
    /// The segment that begins with it.
    public var firstSegment: SegmentID

    public init(firstIndex: LogIndex, firstSegment: SegmentID) {
        self.firstIndex = firstIndex
        self.firstSegment = firstSegment
    }

    /// `{"first_index":4001,"first_segment":3}`
    package var json: [UInt8] {
        var writer = JSONWriter(reserving: 64)
        writer.object {
            $0.member("first_index", self.firstIndex.rawValue)
            $0.member("first_segment", self.firstSegment.rawValue)
        }
        writer.endLine()
        return writer.bytes
    }

    private struct Document: Decodable {
        var firstIndex: UInt64
        var firstSegment: UInt32

        enum CodingKeys: String, CodingKey {
            case firstIndex = "first_index"
            case firstSegment = "first_segment"
        }
    }

    package init?(json: some Sequence<UInt8>) {
        guard let document = JSONDocument.decode(Document.self, from: json) else { return nil }
        self.init(firstIndex: LogIndex(document.firstIndex), firstSegment: SegmentID(document.firstSegment))
    }
}
