import LogModel
import SegmentFormat

/// The payload of a checkpoint, little-endian; equal states are equal bytes.
///
///     u16 version | u16 zero
///     membership                                                                as in a membership frame
///     u8 count    | (u64 term, u64 first index, u32 segment, u32 offset)...     terms, ascending
///     u8 0 or 1   | u32 segment, u32 offset                                     trimmed before
///     u16 count   | (u64 producer, u64 last sequence, u8 count, results)...     by last use, least recent first
///
///     result: u64 first index | u64 term | u32 segment | u32 offset | u32 frame length | u16 record count
///
/// Sequences of results are consecutive, so only the last is written: 480 producers with 16 results each, 64 terms
/// and a full membership take 255,416 bytes, below the 256 KiB of a checkpoint. Golden bytes: LogStateCodecTests.
extension LogState {
    static let version: UInt16 = 1

    package func encoded() -> [UInt8] {
        let producers = self.producers.byLastUse
        var bytes: [UInt8] = []
        bytes.reserveCapacity(2_048 + producers.reduce(0) { $0 + 17 + 30 * $1.results.count })
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
        bytes.append(littleEndian: UInt16(producers.count))
        for entry in producers {
            bytes.append(littleEndian: entry.producer)
            bytes.append(littleEndian: entry.results.last?.sequence ?? 0)
            bytes.append(UInt8(entry.results.count))
            for result in entry.results { Self.encode(result, into: &bytes) }
        }
        precondition(bytes.count <= Self.encodedByteCountMax, "a state of \(bytes.count) bytes")
        return bytes
    }

    private static func encode(_ result: ProducerResult, into bytes: inout [UInt8]) {
        bytes.append(littleEndian: result.firstIndex.rawValue)
        bytes.append(littleEndian: result.term.rawValue)
        bytes.append(result.position)
        bytes.append(littleEndian: result.end.offset - result.position.offset)
        bytes.append(littleEndian: UInt16(result.recordCount))
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
        let producers = try Self.readProducers(&reader)
        try reader.finish()
        self.init(membership: membership, terms: terms, trimmedBefore: trimmed, producers: producers)
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
            let index = LogIndex(try reader.integer())
            let term = Term(try reader.integer())
            let position = try reader.position()
            let length: UInt32 = try reader.integer()
            let recordCount = UInt32(try reader.integer(UInt16.self))
            guard
                length >= FrameHeader.producerByteCount, length <= FormatLimits.frameByteCountMax,
                length <= UInt32.max - position.offset, recordCount > 0, index >= .first,
                index.rawValue <= UInt64.max - UInt64(recordCount)
            else { throw .notCanonical(.results) }
            if let last = results.last {
                guard last.firstIndex.advanced(by: UInt64(last.recordCount)) <= index, last.end <= position,
                    last.term <= term
                else { throw .notCanonical(.results) }
            }
            results.append(
                ProducerResult(
                    sequence: lastSequence - (count - 1 - number), firstIndex: index, recordCount: recordCount,
                    term: term, position: position, end: position.advanced(by: Int(length))))
        }
        return results
    }
}
