import HTTPTypes
import HoldfastClient
import LogModel
import NIOCore
import Replicator

/// A page as it is sent.
struct PageAnswer {
    static let linesType = "application/x-ndjson"
    static let eventsType = "text/event-stream"

    var contentType: String
    var fields: HTTPFields
    var body: ByteBuffer
    /// Of the page that it was made of.
    private var seat: PageSeat?

    init(_ page: LogPage, query: RecordsQuery) {
        let cut = query.cut(page)
        let records = cut.records
        var end = cut.end
        self.seat = page.seat
        self.contentType = query.form.contentType
        switch query.form {
        case .lines, .events, .frames: self.body = Self.stream(records, end: end, as: query.form)
        case .page:
            let byteCountMax = NodeLimits.pageAnswerByteCountMax
            let first = records.first?.jsonByteCountEstimate ?? 0
            var writer = JSONWriter(reserving: 256 + max(first, min(Self.byteCount(of: records), byteCountMax)))
            writer.object { writer in
                writer.name("records")
                writer.array { writer in
                    for (number, record) in records.enumerated() {
                        guard number == 0 || writer.bytes.count + record.jsonByteCountMax <= byteCountMax else {
                            end = page.end(behind: number)
                            break
                        }
                        writer.record(record)
                    }
                }
                writer.member("next", end.next.rawValue)
                writer.member("up_to_date", end.isUpToDate)
                writer.member("first_index", end.firstIndex.rawValue)
                writer.member("last_index", end.lastIndex.rawValue)
            }
            writer.endLine()
            self.body = ByteBuffer(bytes: writer.bytes)
        }
        self.fields = [
            .holdfastNextIndex: "\(end.next)", .holdfastUpToDate: "\(end.isUpToDate)", .cacheControl: "no-store",
        ]
    }

    /// One record: committed, so it never changes and may be cached for ever.
    init(record: IndexedRecord) {
        self.contentType = "application/json"
        self.fields = [
            .holdfastNextIndex: "\(record.index.advanced(by: 1))",
            .cacheControl: "public, max-age=31536000, immutable", .eTag: Self.entityTag(of: record.index),
        ]
        var writer = JSONWriter(reserving: 256 + record.jsonByteCountEstimate)
        writer.record(record)
        writer.endLine()
        self.body = ByteBuffer(bytes: writer.bytes)
    }

    /// About how long they are as JSON: a page that outgrows its memory is copied, and takes three times as much meanwhile.
    private static func byteCount(of records: some Collection<IndexedRecord>) -> Int {
        records.reduce(0) { $0 + $1.jsonByteCountEstimate }
    }

    /// Of one record, and of the tail that ends before it.
    static func entityTag(of index: LogIndex) -> String { "\"\(index)\"" }

    /// Records one after the other: as lines, as events or as frames.
    ///
    /// No records as events are a comment: it tells proxies and browsers that the stream is alive.
    ///
    /// - Parameter end: With the last ones.
    static func stream(
        _ records: some Collection<IndexedRecord>, end: PageEnd?, as form: RecordsQuery.Form
    ) -> ByteBuffer {
        switch form {
        case .page, .lines:
            var writer = JSONWriter(reserving: Self.byteCount(of: records))
            for record in records {
                writer.record(record)
                writer.endLine()
            }
            return ByteBuffer(bytes: writer.bytes)
        case .events:
            var events = ByteBuffer()
            if records.isEmpty { events.writeStaticString(":\n\n") }
            for record in records {
                var writer = JSONWriter()
                writer.record(record)
                events.writeString("id: \(record.index)\ndata: ")
                // JSON escapes line ends, so that each document is one line.
                events.writeBytes(writer.bytes)
                events.writeStaticString("\n\n")
            }
            return events
        case .frames:
            var frames = ByteBuffer()
            RecordFrame.encode(records, into: &frames)
            if let end { RecordFrame.encode(end, into: &frames) }
            return frames
        }
    }

    /// What went wrong after the head had left: the last line, the last event or the last frame.
    static func lastWords(_ problem: ProblemDocument, as form: RecordsQuery.Form) -> ByteBuffer {
        var words = ByteBuffer()
        switch form {
        case .page, .lines:
            words.writeStaticString(#"{"error":"#)
            words.writeBytes(problem.json.dropLast())
            words.writeStaticString("}\n")
        case .events:
            words.writeStaticString("event: error\ndata: ")
            words.writeBytes(problem.json.dropLast())
            words.writeStaticString("\n\n")
        case .frames: RecordFrame.encode(problem, into: &words)
        }
        return words
    }
}
