import LogModel
import NIOCore

/// The lines of an answer with `follow=true`: a record each, and `{"error":{...}}` as the last one.
enum TailLines {
    /// - Parameters:
    ///   - lines: Whole lines.
    ///   - next: The index of the first record that is not known yet.
    /// - Returns: The records in front of an error, which is then `failure`.
    static func decode(_ lines: ByteBuffer, next: LogIndex) -> (records: [IndexedRecord], failure: ClientError?) {
        var records: [IndexedRecord] = []
        guard let documents = Self.documents(lines) else { return ([], .badAnswer("lines of records")) }
        for document in documents {
            switch document {
            case .problem(let problem): return (records, ClientError(problem))
            case .record(let record):
                // What stands in the log is gapless: this is where a gap or a repetition would show.
                let expected = next.advanced(by: UInt64(records.count))
                guard let record = record.indexed, record.index == expected else {
                    return (records, .badAnswer("record \(record.index.map { "\($0)" } ?? "?") instead of \(expected)"))
                }
                records.append(record)
            }
        }
        return (records, nil)
    }

    /// All lines as one array, which costs a third of decoding each on its own.
    private static func documents(_ lines: ByteBuffer) -> [Line]? {
        var array: [UInt8] = [UInt8(ascii: "[")]
        array.reserveCapacity(lines.readableBytes + 1)
        array += lines.readableBytesView
        for place in array.indices where array[place] == UInt8(ascii: "\n") { array[place] = UInt8(ascii: ",") }
        // The last line's end.
        array[array.count - 1] = UInt8(ascii: "]")
        return JSONDocument.decode([Line].self, from: array)
    }

    private enum Line: Decodable {
        case record(RecordDocument)
        case problem(ProblemDocument)

        private enum Key: String, CodingKey { case error }

        init(from decoder: any Decoder) throws {
            let problem = try decoder.container(keyedBy: Key.self)
                .decodeIfPresent(ProblemDocument.self, forKey: .error)
            self = try problem.map { .problem($0) } ?? .record(RecordDocument(from: decoder))
        }
    }
}
