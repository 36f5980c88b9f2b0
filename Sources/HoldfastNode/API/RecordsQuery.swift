import HTTPTypes
import HoldfastClient
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
        /// Binary, for programs: ``RecordFrame``.
        case frames

        /// The usual one first.
        private static let all: [Form] = [.page, .lines, .frames, .events]

        /// The form for what a client accepts; events only for those that name them.
        ///
        /// - Throws: 406 when it takes none.
        fileprivate init(accept: String?) throws(Problem) {
            let best = Acceptance(accept).best(of: Self.all.map(\.contentType))
            guard let form = Self.all.first(where: { $0.contentType == best }) else {
                throw .notAcceptable(accept ?? "", known: Self.all.map(\.contentType))
            }
            self = form
        }

        var contentType: String {
            switch self {
            case .page: "application/json"
            case .lines: PageAnswer.linesType
            case .events: PageAnswer.eventsType
            case .frames: RecordFrame.contentType
            }
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

    static let parameterNames: Set<String> = [
        "from", "to", "limit", "wait", "min_index", "follow", "consistency", "forward",
    ]

    /// - Parameters:
    ///   - accept: What the client takes; events are followed unless it says `follow=false`.
    ///   - lastEventID: The index of the last event that it has, when it comes back: the next one is where it goes on.
    /// - Throws: 400 with what the parameter must be; 406.
    init(_ parameters: QueryParameters, accept: String?, lastEventID: String? = nil) throws(Problem) {
        let form = try Form(accept: accept)
        self.start =
            try parameters.value("from", expected: "first, tail, an index from 1, or -N for the last N") {
                Self.start($0)
            } ?? .first
        self.end = try parameters.value("to", expected: "an index from 1, the first one not wanted") { text in
            UInt64(text).flatMap { $0 > 0 ? LogIndex($0) : nil }
        }
        if case .index(let first) = self.start, let end, end < first {
            throw .badRequest(
                "to=\(end) is before from=\(first)",
                hint: "from is the first index that is wanted, to the first that is not.")
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

    /// What was asked for of `page`, and where to go on behind that.
    func cut(_ page: LogPage) -> (records: ArraySlice<IndexedRecord>, end: PageEnd) {
        let known = self.end.flatMap { end in page.records.firstIndex { $0.index >= end } } ?? page.records.count
        let count = min(known, self.limit)
        return (page.records[..<count], page.end(behind: count))
    }
}

extension LogPage {
    /// Where to go on behind so many of its records.
    func end(behind count: Int) -> PageEnd {
        let isCut = count < self.records.count
        return PageEnd(
            next: isCut ? self.records[count].index : self.next, isUpToDate: self.isUpToDate && !isCut,
            firstIndex: self.firstIndex, lastIndex: LogIndex(self.nextIndex.rawValue - 1))
    }
}
