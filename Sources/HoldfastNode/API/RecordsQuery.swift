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
        /// Server-sent events, for browsers: one per record, its index for an id.
        case events

        /// The form for what a client accepts.
        fileprivate init(accept: String?) {
            let accept = accept ?? ""
            self =
                accept.contains(PageAnswer.eventsType)
                ? .events : accept.contains(PageAnswer.linesType) ? .lines : .page
        }
    }

    var start: ReadStart
    /// The first index that is not wanted any more.
    var end: LogIndex?
    var limit: Int
    /// Whoever has appended up to here, or was told of it, reads it: nothing is read before this node has committed it.
    var minIndex: LogIndex?
    /// How long to wait for ``minIndex``, and for the first record when there is none yet; `nil` when it was not said.
    var wait: UInt64?
    /// Goes on with what is committed later, until the reader leaves.
    var isFollowing: Bool
    var consistency: ReadConsistency
    var form: Form

    /// - Parameters:
    ///   - accept: What the client takes; events are followed unless it says `follow=false`.
    ///   - lastEventID: The index of the last event that it has, when it comes back: the next one is where it goes on.
    /// - Throws: 400 with what the parameter must be.
    init(_ parameters: QueryParameters, accept: String?, lastEventID: String? = nil) throws(Problem) {
        let form = Form(accept: accept)
        try parameters.check(only: [
            "from", "to", "limit", "wait", "min_index", "follow", "consistency", "forward",
        ])
        self.start =
            try parameters.value("from", expected: "first, tail, an index from 1, or -N for the last N") {
                Self.start($0)
            } ?? .first
        self.end = try parameters.value("to", expected: "an index from 1, the first one not wanted") { text in
            UInt64(text).flatMap { $0 > 0 ? LogIndex($0) : nil }
        }
        self.isFollowing = try parameters.flag("follow") ?? (form == .events)
        let limit = try parameters.value("limit", expected: "a whole number from 0") { text in
            Int(text).flatMap { $0 >= 0 ? $0 : nil }
        }
        self.limit = limit ?? (self.isFollowing ? Int.max : NodeLimits.pageRecordCount)
        if !self.isFollowing { self.limit = min(self.limit, NodeLimits.pageRecordCountMax) }
        self.wait = try parameters.wait()
        self.minIndex = try parameters.value(
            "min_index", expected: "an index from 1, of a record that was acknowledged"
        ) {
            UInt64($0).flatMap { $0 > 0 ? LogIndex($0) : nil }
        }
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
        self.form = form == .page && self.isFollowing ? .lines : form
        guard form == .events, let lastEventID, !lastEventID.isEmpty else { return }
        guard let last = UInt64(lastEventID), last < UInt64.max else {
            throw .badRequest(
                "Last-Event-ID: \(lastEventID) is not understood",
                hint: "It is the index of the last record that you have.")
        }
        self.start = .index(LogIndex(last + 1))
    }

    /// How long to wait for the first record.
    var waitMilliseconds: UInt64 { self.wait ?? 0 }

    /// How long the answer may take beyond what every read may take.
    var answerMilliseconds: UInt64 {
        self.waitMilliseconds + (self.minIndex == nil ? 0 : self.wait ?? NodeLimits.minIndexWaitMilliseconds)
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
