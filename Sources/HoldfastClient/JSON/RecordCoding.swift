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
