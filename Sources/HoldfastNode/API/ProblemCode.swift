/// What went wrong, in one word: for programs, which know these and never the sentences.
enum ProblemCode: String, CaseIterable {
    // What the request itself got wrong.
    case badRequest = "BAD_REQUEST"
    case invalidRecord = "INVALID_RECORD"
    case noSuchRoute = "NO_SUCH_ROUTE"
    case methodNotAllowed = "METHOD_NOT_ALLOWED"
    case notAcceptable = "NOT_ACCEPTABLE"
    case unsupportedMediaType = "UNSUPPORTED_MEDIA_TYPE"
    case uriTooLong = "URI_TOO_LONG"
    case headTooLarge = "HEAD_TOO_LARGE"
    case tooLarge = "TOO_LARGE"

    // Who asks, and how.
    case unauthenticated = "UNAUTHENTICATED"
    case forbidden = "FORBIDDEN"
    case tlsRequired = "TLS_REQUIRED"

    // Where it was asked, and when.
    case notLeader = "NOT_LEADER"
    case quorumUnavailable = "QUORUM_UNAVAILABLE"
    case leaderSilent = "LEADER_SILENT"
    case shuttingDown = "SHUTTING_DOWN"
    case busy = "BUSY"
    case noSpace = "NO_SPACE"
    case commitTimeout = "COMMIT_TIMEOUT"
    case leadershipLost = "LEADERSHIP_LOST"
    case notByAll = "NOT_BY_ALL"

    // What the log says to a change.
    case conditionFailed = "CONDITION_FAILED"
    case fenced = "FENCED"
    case producerGap = "PRODUCER_GAP"
    case producerExpired = "PRODUCER_EXPIRED"
    case tooManyCursors = "TOO_MANY_CURSORS"
    case noSuchCursor = "NO_SUCH_CURSOR"

    // What the log says to a reader.
    case trimmed = "TRIMMED"
    case behind = "BEHIND"
    case incomplete = "INCOMPLETE"
    case damaged = "DAMAGED"
    case noSuchRecord = "NO_SUCH_RECORD"
    case noSuchFrame = "NO_SUCH_FRAME"

    // Who leads, and who is a member.
    case transferUnderWay = "TRANSFER_UNDER_WAY"
    case transferFailed = "TRANSFER_FAILED"
    case changeUnderWay = "CHANGE_UNDER_WAY"
    case noSuchMember = "NO_SUCH_MEMBER"
    case otherIncarnation = "OTHER_INCARNATION"
    case nodeLeads = "NODE_LEADS"
    case lastVoter = "LAST_VOTER"
    case tooManyMembers = "TOO_MANY_MEMBERS"
    case nodeUnreachable = "NODE_UNREACHABLE"
    case otherNode = "OTHER_NODE"
    case otherCluster = "OTHER_CLUSTER"
    case otherVersion = "OTHER_VERSION"
    case retired = "RETIRED"
}
