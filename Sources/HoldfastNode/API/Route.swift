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
    case transfer

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
        case "/admin/v1/transfer":
            guard method == .post else { throw .methodNotAllowed(method, path: path, allowed: "POST") }
            return .transfer
        default:
            let prefix = "/v1/records/"
            guard path.hasPrefix(prefix) else { throw .noSuchRoute(path) }
            guard method == .get else { throw .methodNotAllowed(method, path: path, allowed: "GET") }
            let text = path.dropFirst(prefix.count)
            guard text.allSatisfy(\.isNumber), let index = UInt64(text), index > 0 else {
                throw .badRequest("\(text) is not an index", hint: "Indexes are whole numbers from 1.")
            }
            return .record(LogIndex(index))
        }
    }
}
