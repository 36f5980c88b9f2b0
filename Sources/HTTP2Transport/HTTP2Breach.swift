import HTTP2Session
import Logging

/// Which bound a peer ran into. The raw value names it in logs and metrics.
///
/// Each ends the connection, but for ``bodyDeadline``, ``unreadDeadline``, ``unsentBytes`` and ``unfinishedBodies``, which may
/// end one stream only, and ``connections`` and ``connectionsPerAddress``, which let none begin.
package enum HTTP2Breach: String, Hashable, Sendable, CaseIterable {
    // More of something than its rate allows.
    case pings, settings, resets, priorities
    case emptyData = "empty_data"
    case windowUpdates = "window_updates"
    case goAways = "goaways"
    case unknownFrames = "unknown_frames"
    /// DATA and HEADERS of streams that are gone.
    case closedStreams = "closed_streams"
    /// Answers to PINGs that nobody sent.
    case pongs
    case acknowledgements, continuations
    case headerLists = "header_lists"
    case unreadFrames = "unread_frames"
    /// Streams that had to be reset since the peer made no progress.
    case stalls
    // Not the protocol.
    case notHTTP2 = "not_http2"
    case violation
    // Too slow.
    case prefaceDeadline = "preface_deadline"
    case settingsDeadline = "settings_deadline"
    case headersDeadline = "headers_deadline"
    case bodyDeadline = "body_deadline"
    case unreadDeadline = "unread_deadline"
    case silence
    // Too many.
    case unsentBytes = "unsent_bytes"
    case unfinishedBodies = "unfinished_bodies"
    case connections
    case connectionsPerAddress = "connections_per_address"

    /// What is said of it, and what to do.
    var words: (message: Logger.Message, hint: String) {
        switch self {
        case .unfinishedBodies:
            (
                "bodies that are on their way take all the room for them; the one that stood still for longest was refused",
                "find out who sends so many large bodies at a time, or lets them stand"
            )
        default: ("a peer broke a limit of this listener and was cut off", BreachCount.hint)
        }
    }

    init(_ flood: HTTP2Flood) {
        self =
            switch flood {
            case .ping: .pings
            case .settings: .settings
            case .emptyData: .emptyData
            case .reset: .resets
            case .priority: .priorities
            case .windowUpdate: .windowUpdates
            case .goAway: .goAways
            case .unknownFrame: .unknownFrames
            case .closedStream: .closedStreams
            case .pong: .pongs
            case .acknowledgement: .acknowledgements
            case .continuation: .continuations
            case .header: .headerLists
            case .unread: .unreadFrames
            }
    }

    /// - Returns: `nil` for a failure that is no fault of the peer.
    init?(_ error: HTTP2SessionError) {
        switch error {
        case .flood(let flood): self.init(flood)
        case .badPreface: self = .notHTTP2
        case .violation: self = .violation
        case .closed, .streamsExhausted, .outOfMemory: return nil
        }
    }
}
