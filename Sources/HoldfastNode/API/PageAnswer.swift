import HTTPTypes
import HoldfastClient
import LogModel
import Replicator

/// A page as it is sent.
struct PageAnswer {
    static let linesType = "application/x-ndjson"

    var contentType: String
    var fields: HTTPFields
    var body: [UInt8]

    init(_ page: LogPage, query: RecordsQuery) {
        let wanted = min(query.wantedCount(of: page), query.limit)
        let records = page.records.prefix(wanted)
        let isCut = wanted < page.records.count
        let next = isCut ? page.records[wanted].index : page.next
        let isUpToDate = page.isUpToDate && !isCut
        self.fields = [
            .holdfastNextIndex: "\(next)", .holdfastUpToDate: "\(isUpToDate)", .cacheControl: "no-store",
        ]
        switch query.form {
        case .lines:
            self.contentType = Self.linesType
            self.body = Self.lines(records)
        case .page:
            self.contentType = "application/json"
            var writer = JSONWriter(reserving: 128 + records.count * 160)
            writer.object { writer in
                writer.name("records")
                writer.array { for record in records { $0.record(record) } }
                writer.member("next", next.rawValue)
                writer.member("up_to_date", isUpToDate)
                writer.member("first_index", page.firstIndex.rawValue)
                writer.member("last_index", page.nextIndex.rawValue - 1)
            }
            writer.endLine()
            self.body = writer.bytes
        }
    }

    /// One record: committed, so it never changes and may be cached for ever.
    init(record: IndexedRecord) {
        self.contentType = "application/json"
        self.fields = [
            .holdfastNextIndex: "\(record.index.advanced(by: 1))",
            .cacheControl: "public, max-age=31536000, immutable", .eTag: "\"\(record.index)\"",
        ]
        var writer = JSONWriter()
        writer.record(record)
        writer.endLine()
        self.body = writer.bytes
    }

    static func lines(_ records: some Collection<IndexedRecord>) -> [UInt8] {
        var writer = JSONWriter(reserving: records.count * 160)
        for record in records {
            writer.record(record)
            writer.endLine()
        }
        return writer.bytes
    }
}
