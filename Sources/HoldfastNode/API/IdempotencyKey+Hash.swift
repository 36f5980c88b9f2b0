import Crypto
import LogModel

extension IdempotencyKey {
    /// The first 128 bits of the SHA-256 of what the client sent: no two keys that anybody can find share them.
    init(hashing text: String) {
        var digest = SHA256.hash(data: Array(text.utf8)).makeIterator()
        func word() -> UInt64 {
            (0..<8).reduce(0) { word, _ in word << 8 | UInt64(digest.next() ?? 0) }
        }
        self.init(high: word(), low: word())
    }
}
