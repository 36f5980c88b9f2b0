import DequeModule
import LogModel

/// The idempotency keys that appended last, each with what became of its append.
///
/// A key appends once, so the order of use is the order of the log, and every node lets the same key go.
struct KeyTable: Hashable, Sendable {
    private var appends: [IdempotencyKey: StoredAppend] = [:]
    /// The keys of `appends`, oldest first.
    private var order: Deque<IdempotencyKey> = []

    struct Evicted: Hashable, Sendable {
        var key: IdempotencyKey
        var append: StoredAppend
    }

    /// How to take back one ``append(_:of:)``: the newest key goes, `evicted` comes back.
    struct Undo: Hashable, Sendable {
        var evicted: Evicted?
    }

    subscript(key: IdempotencyKey) -> StoredAppend? { self.appends[key] }
    var count: Int { self.order.count }

    /// Oldest first.
    var byAge: [(key: IdempotencyKey, append: StoredAppend)] {
        self.order.compactMap { key in self.appends[key].map { (key, $0) } }
    }

    /// - Parameter key: It was not there.
    mutating func append(_ append: StoredAppend, of key: IdempotencyKey) -> Undo {
        let evicted = self.order.count == LogStateLimits.idempotencyKeysMax ? self.evictOldest() : nil
        self.appends[key] = append
        self.order.append(key)
        return Undo(evicted: evicted)
    }

    mutating func undo(_ undo: Undo) {
        if let newest = self.order.popLast() { self.appends[newest] = nil }
        guard let evicted = undo.evicted else { return }
        self.appends[evicted.key] = evicted.append
        self.order.prepend(evicted.key)
    }

    private mutating func evictOldest() -> Evicted? {
        self.order.popFirst().flatMap { key in
            self.appends.removeValue(forKey: key).map { Evicted(key: key, append: $0) }
        }
    }
}

/// `u16 count | (u64 high, u64 low, append)...`, oldest first.
extension KeyTable {
    func encode(into bytes: inout [UInt8]) {
        bytes.append(littleEndian: UInt16(self.count))
        for (key, append) in self.byAge {
            bytes.append(littleEndian: key.high)
            bytes.append(littleEndian: key.low)
            append.encode(into: &bytes)
        }
    }

    static func read(_ reader: inout StateReader) throws(LogStateError) -> KeyTable {
        let count = Int(try reader.integer(UInt16.self))
        guard count <= LogStateLimits.idempotencyKeysMax else { throw .notCanonical(.keys) }
        var table = KeyTable()
        var last: StoredAppend?
        for _ in 0..<count {
            let high: UInt64 = try reader.integer()
            let key = IdempotencyKey(high: high, low: try reader.integer())
            let append = try StoredAppend.read(&reader)
            guard table[key] == nil, last.map(append.follows) ?? true else { throw .notCanonical(.keys) }
            _ = table.append(append, of: key)
            last = append
        }
        return table
    }
}
