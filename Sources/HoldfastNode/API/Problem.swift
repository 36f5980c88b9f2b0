import Access
import HTTP2Transport
import HTTPTypes
import HoldfastClient
import LogModel
import LogState
import ReplicaCore
import Replicator
import SegmentFormat

/// An answer that is an error: what happened, whether it was applied, what to do next.
struct Problem: Error, Hashable {
    var document: ProblemDocument
    /// Further headers: `Allow`, `Retry-After`, `Location`.
    var fields: HTTPFields
    /// The leader cannot have heard of the request: it may be sent to the next one.
    var isUnsent = false

    init(
        _ status: HTTPResponse.Status, _ code: ProblemCode, _ detail: String, hint: String,
        applied: ProblemDocument.Applied = .no, fields: HTTPFields = [:]
    ) {
        // It may quote what was sent, which may be long.
        let isLong = detail.utf8.count > NodeLimits.detailByteCountMax
        self.document = ProblemDocument(
            title: status.reasonPhrase, status: status.code, code: code.rawValue,
            detail: isLong ? "\(detail.prefix(NodeLimits.detailByteCountMax / 4)) ..." : detail, hint: hint,
            applied: applied)
        self.fields = fields
    }

    var status: HTTPResponse.Status {
        HTTPResponse.Status(code: self.document.status, reasonPhrase: self.document.title)
    }

    func leading(to leader: ServerAddress?) -> Problem {
        var problem = self
        problem.document.leader = leader?.description
        return problem
    }
}

// Who asks, and how.
extension Problem {
    static func unauthenticated(isTokenGiven: Bool) -> Problem {
        let challenge = #"Bearer realm="holdfast""# + (isTokenGiven ? #", error="invalid_token""# : "")
        return Problem(
            .unauthorized, .unauthenticated,
            isTokenGiven ? "the token is not known here" : "this node asks for a token",
            hint: "Send Authorization: Bearer TOKEN; holdfast token create makes one.",
            fields: [.wwwAuthenticate: challenge])
    }

    static func forbidden(_ name: String, _ scopes: Set<AccessScope>) -> Problem {
        let text = AccessScope.text(scopes)
        let names = text.split(separator: ",")
        // Any of them is enough.
        let lack = names.count == 1 ? "the scope \(text)" : "one of the scopes \(names.joined(separator: ", "))"
        let options = names.map { "--scope \($0)" }.joined(separator: " or ")
        return Problem(
            .forbidden, .forbidden, "the token \(name) is not for this: it lacks \(lack)",
            hint: "Use one that was made with \(options).",
            fields: [.wwwAuthenticate: #"Bearer realm="holdfast", error="insufficient_scope", scope="\#(text)""#])
    }

    static func refused(_ refusal: TLSRefusal) -> Problem {
        Problem(
            .forbidden, .forbidden, refusal.description, hint: "Show a certificate that is meant for this port.")
    }

    static let tlsRequired = Problem(
        .forbidden, .tlsRequired, "this port speaks TLS", hint: "Use https://, and trust the cluster's authority.")
}

// What the request itself got wrong.
extension Problem {
    static func noSuchRoute(_ path: Substring) -> Problem {
        Problem(
            .notFound, .noSuchRoute, "there is nothing at \(path)",
            hint:
                "The routes are /v1/records, /v1/records/{index}, /v1/trim, /v1/cursors, /v1/cursors/{name}, /v1/fencing-token, "
                + "/v1/cluster, /v1/segments, /v1/segments/{segment}, /admin/v1/transfer and /admin/v1/members; GET /openapi.json describes them."
        )
    }

    static func methodNotAllowed(_ method: HTTPRequest.Method, path: Substring, allowed: String) -> Problem {
        Problem(
            .methodNotAllowed, .methodNotAllowed, "\(path) does not take \(method.rawValue)",
            hint: "Use \(allowed).", fields: [.allow: allowed])
    }

    static func badRequest(_ detail: String, hint: String) -> Problem {
        Problem(.badRequest, .badRequest, detail, hint: hint)
    }

    static func badBody(_ what: String, _ defect: JSONDefect, of body: Bytes, hint: String) -> Problem {
        .badRequest("the body is not \(what): \(defect.words(of: body))", hint: hint)
    }

    static func unsupportedMediaType(_ type: String) -> Problem {
        Problem(
            .unsupportedMediaType, .unsupportedMediaType, "records cannot be read from \(type)",
            hint: "Use application/octet-stream (one record), application/x-ndjson (one per line), "
                + "application/json (a batch) or application/vnd.holdfast.frames (a session).")
    }

    /// Whoever compressed a body means what is in it: the record would be something else.
    static func unsupportedEncoding(_ encoding: String) -> Problem {
        Problem(
            .unsupportedMediaType, .unsupportedMediaType,
            "a compressed body, Content-Encoding \(encoding), is not taken",
            hint: "Send it as it is. A record that is meant to be compressed is sent without Content-Encoding.")
    }

    static func notAcceptable(_ accept: String, known: [String]) -> Problem {
        Problem(
            .notAcceptable, .notAcceptable, "records cannot be had as \(accept)",
            hint: "Accept one of \(known.joined(separator: ", ")).")
    }

    static let targetTooLong = Problem(
        .uriTooLong, .uriTooLong, "the path and the query are over \(NodeLimits.targetByteCountMax) bytes",
        hint: "No route needs so much.")

    static let headTooLarge = Problem(
        .requestHeaderFieldsTooLarge, .headTooLarge,
        "the header fields are over \(HTTP2Limits.untrusted.session.headerListByteCountMax) bytes",
        hint: "Send fewer or shorter ones; names and values count, and 32 bytes for each.")

    static func bodyTooLarge(_ byteCountMax: Int) -> Problem {
        Problem(
            .contentTooLarge, .tooLarge, "the body is over \(byteCountMax) bytes",
            hint: "Send smaller batches; one record is at most as large, too.")
    }

    static func tooManyRecords(_ count: Int) -> Problem {
        Problem(
            .contentTooLarge, .tooLarge, "\(count) records in one request",
            hint: "Send at most \(NodeLimits.recordsPerAppendMax) records at once.")
    }

    static func invalidRecord(_ error: FormatError) -> Problem {
        Problem(
            .badRequest, .invalidRecord, "the records do not fit into a frame: \(error)",
            hint: "Send smaller records or fewer at once.")
    }
}

// What the log answered.
extension Problem {
    init(_ failure: AppendFailure) {
        switch failure {
        case .notLeader(nil):
            self = .noLeader
        case .notLeader:
            self.init(
                .misdirectedRequest, .notLeader, "this node does not lead",
                hint: "Ask the leader, or let this node do so (forward=auto).")
        case .busy:
            self.init(
                .tooManyRequests, .busy, "too much waits for its commit already",
                hint: "Wait a moment and try again.", fields: [.retryAfter: "1"])
        case .noSpace:
            self.init(
                Self.insufficientStorage, .noSpace, "the leader's disk has no room for more of the log",
                hint: "Free space on the leader's data directory, then try again.")
        case .tooLarge(let byteCount, let byteCountMax):
            self.init(
                .contentTooLarge, .tooLarge, "the frame takes \(byteCount) bytes of at most \(byteCountMax)",
                hint: "Send smaller batches, or configure larger segments.")
        case .conditionFailed(let next):
            self.init(
                .preconditionFailed, .conditionFailed, "the next index is \(next), not the one that was expected",
                hint: "Read what was appended meanwhile; then expect \(next).",
                fields: [.holdfastNextIndex: "\(next)"])
            self.document.nextIndex = next.rawValue
        case .fenced(let token):
            self.init(
                .conflict, .fenced, "a writer with the fencing token \(token) is at work",
                hint: "Stop; or take over with a token above \(token).")
            self.document.fencingToken = token
        case .tooManyCursors:
            self.init(
                .conflict, .tooManyCursors, "the log keeps \(LogStateLimits.cursorsMax) cursors already",
                hint: "Delete one that nobody needs: GET /v1/cursors lists them.")
        case .noSuchCursor:
            self = .noSuchCursor
        case .producerGap(let expected):
            self.init(
                .conflict, .producerGap, "the producer's next sequence is \(expected)",
                hint: "Send the sequences that are missing first.")
            self.document.expectedSequence = expected
        case .producerExpired:
            self.init(
                .conflict, .producerExpired, "the log does not remember this producer any more",
                hint: "Look whether the records are in the log; then go on as a new producer, from sequence 1.",
                applied: .unknown)
        case .notByAll(let outcome):
            self.init(
                .gatewayTimeout, .notByAll,
                "the records are committed, and \(outcome.nodes) of \(outcome.voters) voters are known to have them",
                hint:
                    "Nothing is lost. Repeat it as for COMMIT_TIMEOUT to wait again, or see who lags: GET /v1/cluster.",
                applied: .yes)
            self.document.receipt = outcome.receipt
        case .timedOut:
            self.init(
                .gatewayTimeout, .commitTimeout, "no quorum acknowledged in time; it still may",
                hint: Self.repeatHint,
                applied: .unknown)
        case .leadershipLost:
            self.init(
                .gatewayTimeout, .leadershipLost, "this node stopped leading; these records may be kept, or not",
                hint: Self.repeatHint,
                applied: .unknown)
        case .shuttingDown(let mayBeApplied):
            self.init(
                .serviceUnavailable, .shuttingDown, "this node is stopping",
                hint: "Try again on another node.", applied: mayBeApplied ? .unknown : .no,
                fields: [.retryAfter: "1"])
        }
    }

    init(_ failure: TransferFailure) {
        switch failure {
        case .notLeader(let leader): self.init(AppendFailure.notLeader(leader: leader))
        case .shuttingDown: self.init(AppendFailure.shuttingDown(mayBeApplied: false))
        case .isUnderWay:
            self.init(
                .conflict, .transferUnderWay, "leadership is on its way to another node already",
                hint: "See who leads: GET /v1/cluster.")
        case .failed:
            self.init(
                .serviceUnavailable, .transferFailed, "no node took over in time, and nothing has changed",
                hint: "The node must run, be connected and level: GET /v1/cluster.", fields: [.retryAfter: "1"])
        }
    }

    init(_ failure: ReadFailure) {
        switch failure {
        case .trimmed(let first):
            self.init(
                .gone, .trimmed, "these records were trimmed; the first one kept is \(first)",
                hint: "Read from \(first), or from=first.")
            self.document.firstIndex = first.rawValue
        case .behind(let next):
            self.init(
                .serviceUnavailable, .behind,
                next == .first
                    ? "this node has committed nothing yet, and not the min_index"
                    : "this node has committed up to \(next.rawValue - 1), and not the min_index",
                hint:
                    "Wait for longer (wait=5s), try again, or ask another node: GET /v1/cluster says how far each is.",
                fields: [.retryAfter: "1", .holdfastNextIndex: "\(next)"])
            self.document.nextIndex = next.rawValue
        case .unavailable:
            self.init(
                .serviceUnavailable, .quorumUnavailable, "no quorum confirms what is committed",
                hint: "Try again, or read what is known here with consistency=committed.",
                fields: [.retryAfter: "1"])
        case .notLeader:
            self.init(
                .misdirectedRequest, .notLeader, "this node does not lead",
                hint: "Read from the leader, or here with consistency=committed.")
        case .incomplete(let next):
            self.init(
                .serviceUnavailable, .incomplete,
                "this node lost its log from index \(next) on, and is fetching it from the leader",
                hint: "Try again in a moment, or ask another node.", fields: [.retryAfter: "1"])
        case .noFrame(let position):
            self.init(
                .notFound, .noSuchFrame, "no frame begins at \(position)",
                hint: "Begin with offset 0 of a segment, and go on where Holdfast-Next-Position says.")
        case .damaged(let what):
            self.init(
                .serviceUnavailable, .damaged, "the records are there, and cannot be read on this node: \(what)",
                hint: "Ask another node. This one gets a good copy from a peer; GET /v1/cluster shows when it has it.",
                fields: [.retryAfter: "1"])
        }
    }

    private static let repeatHint =
        "Try again with the same Idempotency-Key, or the same Holdfast-Producer and Holdfast-Sequence: that never doubles."

    static let segmentReadersBusy = Problem(
        .tooManyRequests, .busy, "\(NodeLimits.segmentReadsMax) requests read segments already",
        hint: "Wait a moment and try again.", fields: [.retryAfter: "1"])

    static let noSuchCursor = Problem(
        .notFound, .noSuchCursor, "there is no cursor of this name", hint: "GET /v1/cursors lists them.")

    static let noLeader = Problem(
        .serviceUnavailable, .quorumUnavailable, "no leader is known",
        hint: "An election takes about a second while a majority of the nodes runs; try again.",
        fields: [.retryAfter: "1"])

    /// The leader could not be reached from here: nothing was sent to it.
    static let leaderUnreachable: Problem = {
        var problem = Problem(
            .serviceUnavailable, .quorumUnavailable, "the leader cannot be reached from this node",
            hint: "If it has just stopped, another will lead within a second; try again.",
            fields: [.retryAfter: "1"])
        problem.isUnsent = true
        return problem
    }()

    /// So many requests are on their way to the leader that this one has to wait.
    static let forwardersBusy: Problem = {
        var problem = Problem(AppendFailure.busy)
        problem.isUnsent = true
        return problem
    }()

    /// This client, or all clients together, leave so much unread that a large answer more cannot be held for them.
    static let answersUnread = Problem(
        .tooManyRequests, .busy, "too much of other answers waits to be read",
        hint: "Read those first, or ask for less.",
        fields: [.retryAfter: "1"])

    /// The request was sent to the leader, and no answer came.
    static func forwardingFailed(_ reason: String, isChange: Bool) -> Problem {
        Problem(
            .gatewayTimeout, isChange ? .commitTimeout : .leaderSilent, "the leader did not answer: \(reason)",
            hint: isChange ? Self.repeatHint : "Try again.",
            applied: isChange ? .unknown : .no)
    }

    static func noSuchRecord(_ index: LogIndex, next: LogIndex) -> Problem {
        Problem(
            .notFound, .noSuchRecord, "there is no record \(index) yet; the next index will be \(next)",
            hint: "Wait for it with GET /v1/records?from=\(index)&limit=1&wait=30s.")
    }

    /// RFC 4918 §11.5; swift-http-types does not name it.
    private static let insufficientStorage = HTTPResponse.Status(code: 507, reasonPhrase: "Insufficient Storage")
}
