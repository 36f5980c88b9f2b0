import ArgumentParser
import HoldfastClient
import HoldfastNode
import LogModel

/// How a record stands on a line, when it is read as when it is appended.
enum RecordFormat: String, CaseIterable, ExpressibleByArgument {
    /// The value as it is: a value that holds line ends comes back as several records.
    case lines
    /// All of a record, whatever it holds.
    case json
    /// The value in base64, whatever it holds; without its key.
    case base64

    /// Why a line is no record.
    enum Refusal: Error, CustomStringConvertible {
        case notJSON(String)
        case notBase64

        var description: String {
            switch self {
            case .notJSON(let why): "no record as JSON: \(why)"
            case .notBase64: "not base64"
            }
        }
    }

    /// - Returns: `nil` for a line that holds none: JSON may have empty lines.
    func record(of line: Bytes) throws(Refusal) -> Record? {
        switch self {
        case .lines: return Record(value: line)
        case .json:
            if line.allSatisfy({ $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\r") }) { return nil }
            do { return try Record(json: line) } catch { throw .notJSON(error.words(ofLine: line)) }
        case .base64:
            guard let value = Base64.decode(String(decoding: line, as: UTF8.self)) else { throw .notBase64 }
            return Record(value: value)
        }
    }

    /// Without its line end.
    func line(of record: IndexedRecord) -> Bytes {
        switch self {
        case .lines: return record.record.value
        case .json:
            var writer = JSONWriter()
            writer.record(record)
            return writer.bytes[...]
        case .base64: return Bytes(Base64.encode(record.record.value).utf8)
        }
    }
}
