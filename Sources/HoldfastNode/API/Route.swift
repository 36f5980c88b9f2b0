import Access
import HTTPTypes
import HoldfastClient
import LogModel

/// Which operation a request names, decided by method and path alone.
enum Route: Hashable {
    case append
    case read
    case record(LogIndex)
    case tail
    case cluster
    case describe
    case nodeStatus
    case transfer
    case addMember
    case promoteMember(NodeID)
    case removeMember(NodeID)
    case cursors
    case cursor(CursorName)
    case setCursor(CursorName)
    case deleteCursor(CursorName)
    case raiseFence
    case trim
    case segments
    case frames(SegmentID)

    /// - Throws: 404 for a path that is none of ours, 405 for a method that the path does not have.
    static func decide(method: HTTPRequest.Method, path: Substring) throws(Problem) -> Route {
        switch path {
        case "/v1/records":
            switch method {
            case .post: return .append
            case .get: return .read
            case .head: return .tail
            default: throw .methodNotAllowed(method, path: path, allowed: "GET, HEAD, POST")
            }
        case "/v1/cluster":
            guard method == .get else { throw .methodNotAllowed(method, path: path, allowed: "GET") }
            return .cluster
        case "/openapi.json":
            guard method == .get else { throw .methodNotAllowed(method, path: path, allowed: "GET") }
            return .describe
        case "/v1/segments":
            guard method == .get else { throw .methodNotAllowed(method, path: path, allowed: "GET") }
            return .segments
        case _ where path.hasPrefix("/v1/segments/"):
            return try Self.ofSegment(path.dropFirst("/v1/segments/".count), method: method, path: path)
        case "/admin/v1/status":
            guard method == .get else { throw .methodNotAllowed(method, path: path, allowed: "GET") }
            return .nodeStatus
        case "/v1/trim":
            guard method == .post else { throw .methodNotAllowed(method, path: path, allowed: "POST") }
            return .trim
        case "/admin/v1/transfer":
            guard method == .post else { throw .methodNotAllowed(method, path: path, allowed: "POST") }
            return .transfer
        case "/admin/v1/members":
            guard method == .post else { throw .methodNotAllowed(method, path: path, allowed: "POST") }
            return .addMember
        case "/v1/cursors":
            guard method == .get else { throw .methodNotAllowed(method, path: path, allowed: "GET") }
            return .cursors
        case "/v1/fencing-token":
            guard method == .put else { throw .methodNotAllowed(method, path: path, allowed: "PUT") }
            return .raiseFence
        case _ where path.hasPrefix("/v1/cursors/"):
            return try Self.ofCursor(path.dropFirst("/v1/cursors/".count), method: method, path: path)
        default:
            if path.hasPrefix(Self.membersPrefix) { return try Self.decideMember(method: method, path: path) }
            let prefix = "/v1/records/"
            guard path.hasPrefix(prefix) else { throw .noSuchRoute(path) }
            guard method == .get else { throw .methodNotAllowed(method, path: path, allowed: "GET") }
            let text = path.dropFirst(prefix.count)
            guard text.utf8.first != UInt8(ascii: "+"), let index = UInt64(text), index > 0 else {
                throw .badRequest(
                    text.isEmpty ? "an index is missing behind \(prefix)" : "\(text) is not an index",
                    hint: "Indexes are whole numbers from 1.")
            }
            return .record(LogIndex(index))
        }
    }

    private static let membersPrefix = "/admin/v1/members/"

    private static func decideMember(method: HTTPRequest.Method, path: Substring) throws(Problem) -> Route {
        let parts = path.dropFirst(Self.membersPrefix.count).split(separator: "/", omittingEmptySubsequences: false)
        guard let number = parts.first.flatMap({ UInt32($0) }), number > 0 else {
            throw .badRequest("\(parts.first ?? "") is not a node", hint: "Nodes are numbered from 1.")
        }
        if parts.count == 1 {
            guard method == .delete else { throw .methodNotAllowed(method, path: path, allowed: "DELETE") }
            return .removeMember(NodeID(number))
        }
        guard parts.count == 2, parts[1] == "promote" else { throw .noSuchRoute(path) }
        guard method == .post else { throw .methodNotAllowed(method, path: path, allowed: "POST") }
        return .promoteMember(NodeID(number))
    }

    private static func ofCursor(
        _ text: Substring, method: HTTPRequest.Method, path: Substring
    ) throws(Problem) -> Route {
        guard let name = CursorName(text) else {
            throw .badRequest(
                "\(text) is not a cursor's name",
                hint: "Names have 1 to \(CursorName.byteCountMax) letters, digits, dots, hyphens and underscores.")
        }
        switch method {
        case .get: return .cursor(name)
        case .put: return .setCursor(name)
        case .delete: return .deleteCursor(name)
        default: throw .methodNotAllowed(method, path: path, allowed: "DELETE, GET, PUT")
        }
    }

    private static func ofSegment(
        _ text: Substring, method: HTTPRequest.Method, path: Substring
    ) throws(Problem) -> Route {
        guard method == .get else { throw .methodNotAllowed(method, path: path, allowed: "GET") }
        guard let number = UInt32(text), text.utf8.first != UInt8(ascii: "+") else {
            throw .badRequest(
                text.isEmpty ? "a number is missing behind \(path)" : "\(text) is not a segment",
                hint: "Segments are numbered from 0.")
        }
        return .frames(SegmentID(number))
    }

    /// What its query may say.
    var parameterNames: Set<String> {
        switch self {
        case .append: AppendRequest.parameterNames
        case .read: RecordsQuery.parameterNames
        case .trim: ["before", "forward"]
        case .transfer: ["to", "forward"]
        case .addMember: ["node", "peer", "client", "replaces", "promote", "forward"]
        case .record, .promoteMember, .removeMember, .cursors, .cursor, .setCursor, .deleteCursor, .raiseFence:
            ["forward"]
        case .frames: ["offset", "limit"]
        case .nodeStatus: ["events_after"]
        case .tail, .cluster, .describe, .segments: []
        }
    }

    /// The scopes of which a token must have one; `nil` where none is asked for.
    var scopes: Set<AccessScope>? {
        switch self {
        case .append, .raiseFence: [.append]
        case .read, .record, .tail, .segments, .frames, .cursors, .cursor, .setCursor, .deleteCursor: [.read]
        case .trim, .transfer, .addMember, .promoteMember, .removeMember: [.admin]
        case .nodeStatus: [.read, .admin]
        // Everybody needs to know who leads.
        case .cluster: Set(AccessScope.allCases)
        case .describe: nil
        }
    }

    /// How long a body may be; `nil` where none is read.
    var bodyByteCountMax: Int? {
        switch self {
        case .append: NodeLimits.bodyByteCountMax
        case .setCursor, .raiseFence, .trim: NodeLimits.stateBodyByteCountMax
        case .read, .record, .tail, .cluster, .describe, .nodeStatus, .transfer, .addMember, .promoteMember,
            .removeMember, .cursors, .cursor, .deleteCursor, .segments, .frames:
            nil
        }
    }
}
