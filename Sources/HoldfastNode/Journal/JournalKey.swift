/// What an entry of the journal may say beside its message, in the order in which it says it.
///
/// The journal is what a node writes to stderr about itself; *the log* is what it keeps for its clients. A name that does
/// not stand here is left out of the journal: what a library puts under one is not known to hold no secret.
enum JournalKey: String, CaseIterable, Sendable {
    case term
    case index
    case role
    case leader
    case peer
    case saidBy = "said_by"
    case nodes
    case segment
    case commit
    case requestID = "request_id"
    case trace
    case client
    case admin
    case status
    case code
    case applied
    case signal
    /// Whom one names, and how long it is valid.
    case certificate
    case validUntil = "valid_until"
    case from
    case to
    case source
    case limit
    case max
    case count
    case unsaid
    case recovery
    case damage
    case kept
    case reason
    case error
    case detail
    case hint

    /// Whether JSON has its value as a number, where it is one.
    var isNumber: Bool {
        switch self {
        case .term, .index, .peer, .segment, .status, .max, .count, .unsaid: true
        default: false
        }
    }
}

/// How a journal looks: `log.format`.
package enum JournalFormat: String, CaseIterable, Sendable {
    /// `time=... level=notice node=1 message="cluster formed" term=3`
    case logfmt
    /// `{"time":"...","level":"notice","node":1,"message":"cluster formed","term":3}`
    case json
}
