import Hummingbird
import Synchronization

/// Which methods each path of the listener takes.
final class KnownPaths: Sendable {
    private typealias Entry = (pattern: [Substring], method: String)

    private let entries = Mutex<[Entry]>([])

    /// Takes note of all routes that `router` has now.
    func learn(_ router: Router<AdminContext>) {
        let entries = router.routes.map { route -> Entry in
            (route.path.description.split(separator: "/"), route.method.rawValue)
        }
        self.entries.withLock { $0 = entries }
    }

    /// In the order of the alphabet, and HEAD where GET is; empty for a path that is not there.
    func methods(of path: String) -> [String] {
        let parts = path.split(separator: "/")
        let methods = self.entries.withLock { entries in
            Set(entries.filter { Self.matches($0.pattern, parts) }.map(\.method))
        }
        return (methods.contains("GET") ? methods.union(["HEAD"]) : methods).sorted()
    }

    /// `{name}` stands for one part, `**` at the end for any that follow.
    private static func matches(_ pattern: [Substring], _ parts: [Substring]) -> Bool {
        let isOpen = pattern.last == "**"
        let fixed = isOpen ? pattern.dropLast() : pattern[...]
        guard isOpen ? parts.count > fixed.count : parts.count == fixed.count else { return false }
        return zip(fixed, parts).allSatisfy { $0 == $1 || $0.hasPrefix("{") }
    }
}
