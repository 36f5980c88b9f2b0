import HTTPTypes
import HoldfastClient
import LogModel
import Replicator

/// A page as it is sent.
struct PageAnswer {
    static let linesType = "application/x-ndjson"
    static let eventsType = "text/event-stream"

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
        case .lines, .events:
            self.contentType = Self.contentType(of: query.form)
            self.body = Self.stream(records, as: query.form)
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

    static func contentType(of form: RecordsQuery.Form) -> String {
        switch form {
        case .page: "application/json"
        case .lines: Self.linesType
        case .events: Self.eventsType
        }
    }

    /// Records one after the other, as lines or as events.
    ///
    /// No records as events are a comment: it tells proxies and browsers that the stream is alive.
    static func stream(_ records: some Collection<IndexedRecord>, as form: RecordsQuery.Form) -> [UInt8] {
        guard form == .events else {
            var writer = JSONWriter(reserving: records.count * 160)
            for record in records {
                writer.record(record)
                writer.endLine()
            }
            return writer.bytes
        }
        var bytes: [UInt8] = records.isEmpty ? Array(":\n\n".utf8) : []
        for record in records {
            var writer = JSONWriter()
            writer.record(record)
            bytes += "id: \(record.index)\ndata: ".utf8
            // JSON escapes line ends, so that each document is one line.
            bytes += writer.bytes
            bytes += "\n\n".utf8
        }
        return bytes
    }

    /// What went wrong after the head had left: the last line, or the last event.
    static func lastWords(_ problem: ProblemDocument, as form: RecordsQuery.Form) -> [UInt8] {
        let document = problem.json.dropLast()
        return form == .events
            ? Array("event: error\ndata: ".utf8) + document + Array("\n\n".utf8)
            : Array(#"{"error":"#.utf8) + document + Array("}\n".utf8)
    }
}
