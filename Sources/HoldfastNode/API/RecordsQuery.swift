import HTTPTypes
import LogModel
import Replicator

/// What `GET /v1/records` asks for.
struct RecordsQuery: Hashable {
    enum Form: Hashable {
        /// One JSON document.
        case page
        /// One JSON document per record and line.
        case lines
    }

    var start: ReadStart
    /// The first index that is not wanted any more.
    var end: LogIndex?
    var limit: Int
    /// How long to wait for the first record when there is none yet.
    var waitMilliseconds: UInt64
    /// Goes on with what is committed later, until the reader leaves.
    var isFollowing: Bool
    var consistency: ReadConsistency
    var form: Form

    /// - Throws: 400 with what the parameter must be.
    init(_ parameters: QueryParameters, accept: String?) throws(Problem) {
        try parameters.check(only: ["from", "to", "limit", "wait", "follow", "consistency", "forward"])
        self.start =
            try parameters.value("from", expected: "first, tail, an index from 1, or -N for the last N") {
                Self.start($0)
            } ?? .first
        self.end = try parameters.value("to", expected: "an index from 1, the first one not wanted") { text in
            UInt64(text).flatMap { $0 > 0 ? LogIndex($0) : nil }
        }
        self.isFollowing = try parameters.flag("follow")
        let limit = try parameters.value("limit", expected: "a whole number from 0") { text in
            Int(text).flatMap { $0 >= 0 ? $0 : nil }
        }
        self.limit = limit ?? (self.isFollowing ? Int.max : NodeLimits.pageRecordCount)
        if !self.isFollowing { self.limit = min(self.limit, NodeLimits.pageRecordCountMax) }
        self.waitMilliseconds =
            try parameters.value("wait", expected: "a duration up to 60s, for example 5s") { text in
                Units.milliseconds(text).flatMap { $0 <= NodeLimits.waitMillisecondsMax ? $0 : nil }
            } ?? 0
        let consistency: ReadConsistency? = try parameters.value(
            "consistency", expected: "linearizable or committed",
            parse: { text in
                switch text {
                case "linearizable": .linearizable
                case "committed": .committed
                default: nil
                }
            })
        if self.isFollowing, consistency == .linearizable {
            throw .badRequest(
                "follow=true is never linearizable", hint: "Leave consistency out, or say consistency=committed.")
        }
        self.consistency = consistency ?? (self.isFollowing ? .committed : .linearizable)
        let wantsLines = accept?.contains("application/x-ndjson") ?? false
        self.form = wantsLines || self.isFollowing ? .lines : .page
    }

    static func start(_ text: String) -> ReadStart? {
        switch text {
        case "first": return .first
        case "tail": return .tail
        default:
            if text.hasPrefix("-") {
                return UInt64(text.dropFirst()).flatMap { $0 > 0 ? .last($0) : nil }
            }
            return UInt64(text).flatMap { $0 > 0 ? .index(LogIndex($0)) : nil }
        }
    }

    /// How many records of `page` are before ``end``.
    func wantedCount(of page: LogPage) -> Int {
        guard let end else { return page.records.count }
        return page.records.firstIndex { $0.index >= end } ?? page.records.count
    }
}
