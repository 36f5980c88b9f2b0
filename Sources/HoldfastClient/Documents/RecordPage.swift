import LogModel

/// Committed records in order, and where to go on.
public struct RecordPage: Hashable, Sendable {
    public var records: [IndexedRecord]
    /// Where the next page begins.
    public var next: LogIndex
    /// Nothing is committed beyond this page.
    public var isUpToDate: Bool
    public var firstIndex: LogIndex
    public var lastIndex: LogIndex

    package init?(json: some Sequence<UInt8>) {
        guard let document = JSONDocument.decode(Document.self, from: json) else { return nil }
        self.records = document.records.compactMap(\.indexed)
        self.next = LogIndex(document.next)
        self.isUpToDate = document.isUpToDate
        self.firstIndex = LogIndex(document.firstIndex)
        self.lastIndex = LogIndex(document.lastIndex)
        guard self.records.count == document.records.count else { return nil }
    }

    private struct Document: Decodable {
        var records: [RecordDocument]
        var next: UInt64
        var isUpToDate: Bool
        var firstIndex: UInt64
        var lastIndex: UInt64

        enum CodingKeys: String, CodingKey {
            case records, next
            case isUpToDate = "up_to_date"
            case firstIndex = "first_index"
            case lastIndex = "last_index"
        }
    }
}
