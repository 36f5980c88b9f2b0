import HTTP2Transport
import Logging

/// What one connection of the admin listener may take, and all of them together. Times in milliseconds.
///
///     accepted --head--> reading --end--> answering --end--> idle --head--> ...
///        10 s          15 s a KiB         15 s a KiB         20 s
///
/// A deadline begins with its state. Bytes that drip do not put it off: going on means a KiB.
package struct ConnectionBounds: Hashable, Sendable {
    /// What ``connectionsMax`` may be told to be: each connection holds up to some 200 KiB of what an attacker sends or leaves
    /// unread.
    package static let connectionsRange: ClosedRange<Int> = 1...4_096
    /// What a connection has of a common bound at most, whatever others do: see ``share(of:)``.
    private static let shareByteCountMax = 64 << 10

    /// Connections the listener holds; more are closed at once.
    package var connectionsMax = 256
    /// The same for one remote address: nobody takes all of them. At most ``connectionsMax``.
    package var connectionsPerAddressMax = 64
    /// The same for an IPv6 network of 64 bits. Never fewer than one address may have.
    package var connectionsPerNetworkMax: Int {
        max(self.connectionsPerAddressMax, self.connectionsMax - self.connectionsMax / 8)
    }

    /// From accepting to the end of the first request's head.
    package var headMilliseconds: UInt64 = 10_000
    /// A body that does not go on for so long ends its connection.
    package var bodyMilliseconds: UInt64 = 15_000
    /// From the end of an answer to the end of the next request's head; the same of an answer of which nothing more is written,
    /// once the other side has closed its half.
    package var idleMilliseconds: UInt64 = 20_000
    /// Bytes that the other side does not take for so long end the connection: also those of a stream that goes on.
    package var unreadMilliseconds: UInt64 = 15_000
    /// What going on means: fewer bytes in that time are none.
    package var progressByteCountMin = 1_024

    /// A request's body, most of which may be thrown away: whoever goes on is cut off.
    package var bodyByteCountMax = 64 << 20

    package init() {}

    /// What each connection has for sure of something that all together may have `byteCount` of: more connections have less
    /// each.
    package func share(of byteCount: Int) -> Int { min(Self.shareByteCountMax, byteCount / self.connectionsMax) }
}

/// Which bound a connection ran into. The raw value names it in the journal and in metrics, where its like on the other
/// listeners has the same name.
///
/// Each ends the connection, or lets none begin, but for ``unfinishedBodies``, which may end one request only.
enum ConnectionBreach: String, Hashable, Sendable, CaseIterable {
    // Too slow.
    case headersDeadline = "headers_deadline"
    case bodyDeadline = "body_deadline"
    case unreadDeadline = "unread_deadline"
    // Too many.
    case bodyBytes = "body_bytes"
    case unfinishedBodies = "unfinished_bodies"
    case connections
    case connectionsPerAddress = "connections_per_address"

    /// What is said of it, and what to do.
    var words: (message: Logger.Message, hint: String) {
        switch self {
        case .unfinishedBodies:
            (
                "bodies that are on their way to the admin listener take all the room for them; one was refused",
                "find out who sends so many large bodies at a time, or lets them stand; the client listener has more room"
            )
        default: ("a client broke a limit of the admin listener and was cut off", BreachCount.hint)
        }
    }
}
