import Foundation
import Synchronization

/// The tokens that count now; their file may change while a node runs.
package final class TokenStore: Sendable {
    package let path: String
    private let state: Mutex<Authorizer>
    /// When the file was written that was read last.
    private let stamp: Mutex<Date?>

    /// - Throws: ``TokenError``.
    package init(path: String) throws(TokenError) {
        self.path = path
        self.stamp = Mutex(Self.stamp(of: path))
        self.state = Mutex(Authorizer(try TokenFile(path: path)))
    }

    package var authorizer: Authorizer { self.state.withLock { $0 } }

    /// Whether another file stands there than was read.
    package func look() -> Bool { self.stamp.withLock { $0 != Self.stamp(of: self.path) } }

    private static func stamp(of path: String) -> Date? {
        let facts = try? FileManager.default.attributesOfItem(atPath: path)
        return facts?[.modificationDate] as? Date
    }

    /// Reads the file again.
    ///
    /// - Returns: Whether it says something else than before.
    /// - Throws: ``TokenError``; the tokens from before count on.
    @discardableResult
    package func reload() throws(TokenError) -> Bool {
        self.stamp.withLock { $0 = Self.stamp(of: self.path) }
        let authorizer = Authorizer(try TokenFile(path: self.path))
        return self.state.withLock { state in
            defer { state = authorizer }
            return state != authorizer
        }
    }
}
