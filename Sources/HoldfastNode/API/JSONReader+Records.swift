import HoldfastClient
import LogModel

/// Batches of records, as `POST /v1/records` takes them.
extension JSONReader {
    /// `["text", {"key":"k","value":"v"}, {"valueBase64":"AAE="}]`, or the same under `records` in an object.
    static func records(of body: Bytes) throws(JSONDefect) -> [Record] {
        try Self.read(body) { reader throws(JSONDefect) in
            _ = reader.next()
            switch reader.kind {
            case .array: return try reader.records()
            case .object:
                let start = reader.place
                var records: [Record]?
                try reader.object { reader, name throws(JSONDefect) in
                    guard name == "records" else {
                        throw .unknownName(name, known: ["records"], at: reader.place)
                    }
                    records = try reader.records()
                }
                guard let records else { throw .missing("records", at: start) }
                return records
            default: throw .expected("an array or an object", at: reader.place)
            }
        }
    }

    private mutating func records() throws(JSONDefect) -> [Record] {
        var records: [Record] = []
        try self.array { reader throws(JSONDefect) in records.append(try reader.element()) }
        return records
    }

    fileprivate mutating func element() throws(JSONDefect) -> Record {
        switch self.kind {
        case .text: return Record(value: try self.text())
        case .object: return try self.record()
        default: throw .expected("a record: text in quotes or an object", at: self.place)
        }
    }

    private static let recordNames = ["key", "keyBase64", "value", "valueBase64", "tombstone", "ttl_ms"]
    /// What a record has that was read: it may be appended again as it is.
    private static let numberNames = ["index", "term"]
    private static let textNames = ["position", "timestamp"]
    private static let names = Set(recordNames + numberNames + textNames)

    private mutating func record() throws(JSONDefect) -> Record {
        let start = self.place
        var key: Bytes?
        var value: Bytes?
        var record = Record(value: [])
        try self.object { reader, name throws(JSONDefect) in
            switch name {
            // A name that is not known stays a defect.
            case _ where Self.names.contains(name) && reader.null(): return
            case "key": try reader.set(&key, toTextOf: name, or: "keyBase64")
            case "keyBase64": try reader.set(&key, toBase64Of: name, or: "key")
            case "value": try reader.set(&value, toTextOf: name, or: "valueBase64")
            case "valueBase64": try reader.set(&value, toBase64Of: name, or: "value")
            case "tombstone": record.isTombstone = try reader.flag()
            case "ttl_ms": record.timeToLiveMilliseconds = try reader.wholeNumber()
            case _ where Self.numberNames.contains(name): _ = try reader.wholeNumber()
            case _ where Self.textNames.contains(name): _ = try reader.text()
            default: throw .unknownName(name, known: Self.recordNames, at: reader.place)
            }
        }
        guard let value = value ?? (record.isTombstone ? [] : nil) else { throw .missing("a value", at: start) }
        record.key = key ?? []
        record.value = value
        return record
    }

    private mutating func set(
        _ bytes: inout Bytes?, toTextOf name: String, or other: String
    ) throws(JSONDefect) {
        guard bytes == nil else { throw .bothNames(name, other, at: self.place) }
        bytes = try self.text()
    }

    private mutating func set(
        _ bytes: inout Bytes?, toBase64Of name: String, or other: String
    ) throws(JSONDefect) {
        guard bytes == nil else { throw .bothNames(name, other, at: self.place) }
        let start = self.place
        guard let decoded = Base64.decode(String(decoding: try self.text(), as: UTF8.self)) else {
            throw .expected("base64 with padding", at: start)
        }
        bytes = decoded
    }
}

extension Record {
    /// One record, as it stands in a batch.
    package init(json: Bytes) throws(JSONDefect) {
        self = try JSONReader.read(json) { reader throws(JSONDefect) in
            _ = reader.next()
            return try reader.element()
        }
    }
}
