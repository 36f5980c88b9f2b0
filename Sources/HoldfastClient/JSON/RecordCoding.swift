import LogModel

/// Records as JSON: `value` (and `key`) as text when they are valid UTF-8, otherwise `valueBase64`.
extension JSONWriter {
    /// A record as it stands in the log: one element of a page, one line of NDJSON.
    package mutating func record(_ record: IndexedRecord) {
        self.object {
            $0.member("index", record.index.rawValue)
            $0.member("term", record.term.rawValue)
            $0.member("position", record.position.description)
            $0.member("timestamp", RFC3339.text(record.timestamp))
            $0.contents(of: record.record)
        }
    }

    /// A record to append.
    package mutating func record(_ record: Record) {
        self.object { $0.contents(of: record) }
    }

    private mutating func contents(of record: Record) {
        if !record.key.isEmpty { self.member("key", orBase64: "keyBase64", record.key) }
        if record.isTombstone { self.member("tombstone", true) }
        if let milliseconds = record.timeToLiveMilliseconds { self.member("ttl_ms", milliseconds) }
        self.member("value", orBase64: "valueBase64", record.value)
    }
}

extension IndexedRecord {
    /// What stands around the key and the value.
    private static let frameByteCountMax = 256
    private static let escapeByteCount = 6
    /// Of what is shorter, the worst is taken; what is longer is looked at.
    private static let countedByteCountMin = 64 << 10

    /// No fewer bytes than it takes as JSON.
    package var jsonByteCountMax: Int {
        Self.frameByteCountMax + Self.jsonByteCountMax(of: self.record.key)
            + Self.jsonByteCountMax(of: self.record.value)
    }

    /// About as many, for most records without a look at what they hold.
    package var jsonByteCountEstimate: Int {
        let byteCount = self.record.key.count + self.record.value.count
        return byteCount < Self.countedByteCountMin ? 160 + byteCount * 3 / 2 : self.jsonByteCountMax
    }

    private static func jsonByteCountMax(of bytes: Bytes) -> Int {
        guard bytes.count >= Self.countedByteCountMin else { return bytes.count * Self.escapeByteCount }
        return max(JSONWriter.quotedByteCount(of: bytes), (bytes.count + 2) / 3 * 4)
    }
}
