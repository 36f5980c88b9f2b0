import Synchronization

/// The tokens that count now; their file may change while a node runs.
package final class TokenStore: Sendable {
    package let path: String
    private let state: Mutex<Authorizer>
    /// Of the file that was read last.
    private let stamp: Mutex<FileStamp?>

    /// - Throws: ``TokenError``.
    package init(path: String) throws(TokenError) {
        self.path = path
        self.stamp = Mutex(FileStamp(path))
        self.state = Mutex(Authorizer(try TokenFile(path: path)))
    }

    package var authorizer: Authorizer { self.state.withLock { $0 } }

    /// Whether another file stands there than was read, or where a link there leads.
    package func look() -> Bool { self.stamp.withLock { $0 != FileStamp(self.path) } }

    /// Reads the file again.
    ///
    /// - Returns: Whether it says something else than before.
    /// - Throws: ``TokenError``; the tokens from before count on.
    @discardableResult
    package func reload() throws(TokenError) -> Bool {
        self.stamp.withLock { $0 = FileStamp(self.path) }
        let authorizer = Authorizer(try TokenFile(path: self.path))
        return self.state.withLock { state in
            defer { state = authorizer }
            return state != authorizer
        }
    }
}
