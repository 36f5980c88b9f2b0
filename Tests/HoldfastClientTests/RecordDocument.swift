import FoundationEssentials
import LogModel

@testable import HoldfastClient

/// A record as JSON, read as another program would.
struct RecordDocument: Decodable {
    var record: Record
    var index: LogIndex?
    private var term: Term?
    private var position: Position?
    private var timestamp: Timestamp?

    private enum Key: String, CodingKey, CaseIterable {
        case index, term, position, timestamp, key, keyBase64, value, valueBase64, tombstone
        case timeToLive = "ttl_ms"
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        let value = try Self.bytes(container, .value, .valueBase64)
        let isTombstone = try container.decodeIfPresent(Bool.self, forKey: .tombstone) ?? false
        guard let value = value ?? (isTombstone ? [] : nil) else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "has neither value nor valueBase64"))
        }
        self.record = Record(
            key: try Self.bytes(container, .key, .keyBase64) ?? [], value: value, isTombstone: isTombstone,
            timeToLiveMilliseconds: try container.decodeIfPresent(UInt64.self, forKey: .timeToLive))
        self.index = try container.decodeIfPresent(UInt64.self, forKey: .index).map { LogIndex($0) }
        self.term = try container.decodeIfPresent(UInt64.self, forKey: .term).map { Term($0) }
        self.position = try container.decodeIfPresent(String.self, forKey: .position).flatMap { Position($0) }
        self.timestamp = try container.decodeIfPresent(String.self, forKey: .timestamp)
            .flatMap { RFC3339.timestamp($0) }
    }

    /// The record with its place in the log; `nil` unless the document names all of it.
    var indexed: IndexedRecord? {
        guard let index, let term, let position, let timestamp else { return nil }
        return IndexedRecord(
            index: index, position: position, term: term, timestamp: timestamp, record: self.record)
    }

    private static func bytes(
        _ container: KeyedDecodingContainer<Key>, _ textKey: Key, _ base64Key: Key
    ) throws -> Bytes? {
        let text = try container.decodeIfPresent(String.self, forKey: textKey)
        guard let base64 = try container.decodeIfPresent(String.self, forKey: base64Key) else {
            return text.map { Bytes($0.utf8) }
        }
        guard text == nil else {
            throw DecodingError.dataCorruptedError(
                forKey: base64Key, in: container,
                debugDescription: "\(textKey.rawValue) and \(base64Key.rawValue) exclude each other")
        }
        guard let bytes = Base64.decode(base64) else {
            throw DecodingError.dataCorruptedError(
                forKey: base64Key, in: container, debugDescription: "\(base64Key.rawValue) is not base64")
        }
        return bytes
    }
}
