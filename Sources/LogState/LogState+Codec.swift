import LogModel
import SegmentFormat

/// The payload of a checkpoint, little-endian; equal states are equal bytes.
///
///     u16 version | u16 zero
///     membership                                                                as in a membership frame
///     u8 count    | (u64 term, u64 first index, u32 segment, u32 offset)...     terms, ascending
///     u8 0 or 1   | u32 segment, u32 offset                                     trimmed before
///     u64 fencing token
///     u16 count   | (u64 producer, u64 last sequence, u8 count, appends)...     by last use, least recent first
///     u16 count   | (u64 key, u64 key, append)...                               by age, oldest first
///     u16 count   | (u8 1 or 2, u8 length, name, u64 index)...                  cursors, ascending by name
///
/// Appends as in ``StoredAppend``, 30 bytes each; those of a run name the same frame. A producer's sequences are
/// consecutive, so only the last is written.
///
///     a full membership             15,324
///     64 terms                       1,537
///     256 producers x 16 results   127,234
///     2,048 idempotency keys        94,210
///     256 cursors                   18,946
///     version, trim, token              21
///     together                     257,272 of the 262,144 bytes of a checkpoint
///
/// Golden bytes: LogStateCodecTests.
extension LogState {
    static let version: UInt16 = 1

    package func encoded() -> [UInt8] {
        let producers = self.producers.byLastUse
        var bytes: [UInt8] = []
        bytes.reserveCapacity(
            2_048 + producers.reduce(0) { $0 + 17 + StoredAppend.encodedByteCount * $1.results.count }
                + (16 + StoredAppend.encodedByteCount) * self.keys.count + 80 * self.cursors.count)
        bytes.append(littleEndian: Self.version)
        bytes.append(littleEndian: UInt16(0))
        self.membership.encode(into: &bytes)
        bytes.append(UInt8(self.terms.starts.count))
        for start in self.terms.starts {
            bytes.append(littleEndian: start.term.rawValue)
            bytes.append(littleEndian: start.firstIndex.rawValue)
            bytes.append(start.position)
        }
        bytes.append(self.trimmedBefore == nil ? 0 : 1)
        if let trimmed = self.trimmedBefore { bytes.append(trimmed) }
        bytes.append(littleEndian: self.fencingToken)
        bytes.append(littleEndian: UInt16(producers.count))
        for entry in producers {
            bytes.append(littleEndian: entry.producer)
            bytes.append(littleEndian: entry.results.last?.sequence ?? 0)
            bytes.append(UInt8(entry.results.count))
            for result in entry.results { result.append.encode(into: &bytes) }
        }
        self.keys.encode(into: &bytes)
        self.cursors.encode(into: &bytes)
        precondition(bytes.count <= Self.encodedByteCountMax, "a state of \(bytes.count) bytes")
        return bytes
    }

    /// - Throws: ``LogStateError`` for everything that ``encoded()`` does not write.
    package init(decoding bytes: Bytes) throws(LogStateError) {
        var reader = StateReader(bytes)
        let version: UInt16 = try reader.integer()
        guard version == Self.version else { throw .unsupportedVersion(version) }
        guard try reader.integer(UInt16.self) == 0 else { throw .notCanonical(.reserved) }
        let membership = try Membership.read(&reader)
        let terms = try Self.readTerms(&reader)
        let trimmed: Position?
        switch try reader.integer(UInt8.self) {
        case 0: trimmed = nil
        case 1: trimmed = try reader.position()
        default: throw .notCanonical(.trim)
        }
        let token: UInt64 = try reader.integer()
        let producers = try Self.readProducers(&reader)
        let keys = try KeyTable.read(&reader)
        let cursors = try CursorTable.read(&reader)
        try reader.finish()
        self.init(membership: membership, terms: terms, trimmedBefore: trimmed, producers: producers)
        self.fencingToken = token
        self.keys = keys
        self.cursors = cursors
    }

    private static func readTerms(_ reader: inout StateReader) throws(LogStateError) -> TermTable {
        let count = Int(try reader.integer(UInt8.self))
        guard count <= LogStateLimits.termStartsMax else { throw .notCanonical(.terms) }
        var starts: [TermStart] = []
        for _ in 0..<count {
            let term = Term(try reader.integer())
            let index = LogIndex(try reader.integer())
            let start = TermStart(term: term, firstIndex: index, position: try reader.position())
            if let last = starts.last {
                guard last.term < start.term, last.position < start.position, last.firstIndex <= start.firstIndex
                else { throw .notCanonical(.terms) }
            }
            starts.append(start)
        }
        return TermTable(starts: starts)
    }

    private static func readProducers(_ reader: inout StateReader) throws(LogStateError) -> ProducerTable {
        let count = Int(try reader.integer(UInt16.self))
        guard count <= LogStateLimits.producersMax else { throw .notCanonical(.producers) }
        var entries: [(producer: UInt64, results: [ProducerResult])] = []
        var known: Set<UInt64> = []
        var lastUse = LogIndex(0)
        for _ in 0..<count {
            let producer: UInt64 = try reader.integer()
            let results = try Self.readResults(&reader)
            guard known.insert(producer).inserted, lastUse < ProducerTable.lastUse(results) else {
                throw .notCanonical(.producers)
            }
            lastUse = ProducerTable.lastUse(results)
            entries.append((producer, results))
        }
        return ProducerTable(byLastUse: entries)
    }

    private static func readResults(_ reader: inout StateReader) throws(LogStateError) -> [ProducerResult] {
        let lastSequence: UInt64 = try reader.integer()
        let count = UInt64(try reader.integer(UInt8.self))
        guard count >= 1, count == min(lastSequence, UInt64(LogStateLimits.resultsPerProducerMax)) else {
            throw .notCanonical(.results)
        }
        var results: [ProducerResult] = []
        results.reserveCapacity(Int(count))
        for number in 0..<count {
            let append = try StoredAppend.read(&reader)
            guard results.last.map({ append.follows($0.append) || append.continuesRun(of: $0.append) }) ?? true
            else { throw .notCanonical(.results) }
            results.append(ProducerResult(sequence: lastSequence - (count - 1 - number), append: append))
        }
        return results
    }
}
