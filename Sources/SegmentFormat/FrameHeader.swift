import LogModel

package enum FrameKind: UInt8, Hashable, Sendable, CaseIterable {
    case records = 1
    /// A new leader's first frame: it makes commits countable in its term (Raft §5.4.2).
    case termStart = 2
    case membership = 3
    /// The first frame of every segment: the state of the log before it.
    case checkpoint = 4
    case trim = 5
    case cursor = 6
    /// Raises the fencing token.
    case fence = 7
}

package struct FrameFlags: OptionSet, Hashable, Sendable {
    package var rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }
    /// The payload is a ``CompressedRecords``.
    package static let compressed = FrameFlags(rawValue: 1)
    /// The header is 72 bytes long and ends with producer and sequence.
    package static let producer = FrameFlags(rawValue: 2)
    /// The producer fields hold the hash of an idempotency key.
    package static let idempotencyKey = FrameFlags(rawValue: 4)
    /// The sequence is that of the first record, and each further record has the next: so many appends in one frame.
    package static let run = FrameFlags(rawValue: 8)
    /// What this version writes and reads.
    package static let supported: FrameFlags = [.producer, .compressed, .idempotencyKey, .run]

    /// Not what no label is written as: a run or a key without the fields for it, or both at once.
    fileprivate var isLabelKnown: Bool {
        self.isDisjoint(with: [.run, .idempotencyKey])
            || self.contains(.producer) && !self.isSuperset(of: [.run, .idempotencyKey])
    }

    init(_ label: AppendLabel?) {
        switch label {
        case nil: self = []
        case .producer: self = .producer
        case .run: self = [.producer, .run]
        case .key: self = [.producer, .idempotencyKey]
        }
    }
}

/// What stands in front of each frame's payload, little-endian.
///
///      0 u32 length             whole frame
///      4 u32 header checksum    CRC-32C of all other header bytes, producer fields included
///      8 u32 payload checksum   CRC-32C of everything behind the header
///     12 u32 previous           header checksum of the frame before, across segments
///     16 u8  kind
///     17 u8  flags
///     18 u16 zero
///     20 u32 node               the node that led
///     24 u64 term
///     32 u64 first index        of its records; for a control frame, of the next record
///     40 u64 timestamp          nanoseconds since 1970
///     48 u32 record count       0 for control frames
///     52 u32 zero
///     56 u64 producer, 64 u64 sequence      when flagged; or the halves of a key's hash, when flagged too; of a run the
///                                           first record's sequence
///
/// Golden bytes: FrameHeaderTests.
package struct FrameHeader: Hashable, Sendable {
    package static let byteCount = 56
    package static let producerByteCount = 72

    package var length: UInt32
    package var headerChecksum: UInt32
    package var payloadChecksum: UInt32
    package var previous: UInt32
    package var kind: FrameKind
    package var flags: FrameFlags
    package var node: NodeID
    package var term: Term
    package var firstIndex: LogIndex
    package var timestamp: Timestamp
    package var recordCount: UInt32
    package var label: AppendLabel?

    /// - Parameter headerChecksum: Replaced by ``encode(into:)``.
    package init(
        length: UInt32, headerChecksum: UInt32 = 0, payloadChecksum: UInt32, previous: UInt32, kind: FrameKind,
        flags: FrameFlags, node: NodeID, term: Term, firstIndex: LogIndex, timestamp: Timestamp, recordCount: UInt32,
        label: AppendLabel?
    ) {
        self.length = length
        self.headerChecksum = headerChecksum
        self.payloadChecksum = payloadChecksum
        self.previous = previous
        self.kind = kind
        self.flags = flags
        self.node = node
        self.term = term
        self.firstIndex = firstIndex
        self.timestamp = timestamp
        self.recordCount = recordCount
        self.label = label
    }

    package var headerByteCount: Int { self.label == nil ? Self.byteCount : Self.producerByteCount }
    package var payloadByteCount: Int { Int(self.length) - self.headerByteCount }
    /// The index of the next record behind this frame.
    package var nextIndex: LogIndex { self.firstIndex.advanced(by: UInt64(self.recordCount)) }

    /// Writes the header to the start of `out` and sets ``headerChecksum``.
    package mutating func encode(into out: inout MutableRawSpan) {
        out.store(self.length, at: 0)
        out.store(self.payloadChecksum, at: 8)
        out.store(self.previous, at: 12)
        out.store(self.kind.rawValue, at: 16)
        out.store(self.flags.rawValue, at: 17)
        out.store(UInt16(0), at: 18)
        out.store(self.node.rawValue, at: 20)
        out.store(self.term.rawValue, at: 24)
        out.store(self.firstIndex.rawValue, at: 32)
        out.store(self.timestamp.nanoseconds, at: 40)
        out.store(self.recordCount, at: 48)
        out.store(UInt32(0), at: 52)
        switch self.label {
        case nil: break
        case .producer(let producer), .run(let producer):
            out.store(producer.producer, at: 56)
            out.store(producer.sequence, at: 64)
        case .key(let key):
            out.store(key.high, at: 56)
            out.store(key.low, at: 64)
        }
        self.headerChecksum = Self.checksum(out.bytes, headerByteCount: self.headerByteCount)
        out.store(self.headerChecksum, at: 4)
    }

    private static func checksum(_ bytes: RawSpan, headerByteCount: Int) -> UInt32 {
        let length = CRC32C.checksum(bytes.extracting(0..<4))
        return CRC32C.checksum(bytes.extracting(8..<headerByteCount), extending: length)
    }
}

extension FrameHeader {
    /// Reads the header at the start of `bytes`, which may hold more behind it.
    ///
    /// - Returns: `nil` when 56 bytes are all zero: the end of the data, preallocated space.
    /// - Throws: ``FormatError``. The checksum comes first, so that a damaged field is never taken for a newer
    ///   format. Nothing is said about the payload, not even whether it is there.
    package static func decode(_ bytes: RawSpan) throws(FormatError) -> FrameHeader? {
        try Self.check(bytes) > 0 ? FrameHeader(checked: bytes) : nil
    }

    /// Checks a header without making one.
    ///
    /// - Returns: Its length; 0 for 56 bytes of zeros.
    /// - Throws: As ``decode(_:)``.
    static func check(_ bytes: RawSpan) throws(FormatError) -> Int {
        guard bytes.byteCount >= Self.byteCount else {
            throw .truncated(needed: Self.byteCount, available: bytes.byteCount)
        }
        let length = bytes.load(UInt32.self, at: 0)
        if length == 0, bytes.isZero(0..<Self.byteCount) { return 0 }
        let flags = FrameFlags(rawValue: bytes.load(UInt8.self, at: 17))
        let headerByteCount = flags.contains(.producer) ? Self.producerByteCount : Self.byteCount
        guard bytes.byteCount >= headerByteCount else {
            throw .truncated(needed: headerByteCount, available: bytes.byteCount)
        }
        let stored = bytes.load(UInt32.self, at: 4)
        let computed = Self.checksum(bytes, headerByteCount: headerByteCount)
        guard stored == computed else { throw .checksumMismatch(stored: stored, computed: computed) }
        guard let kind = FrameKind(rawValue: bytes.load(UInt8.self, at: 16)) else {
            throw .unknownKind(bytes.load(UInt8.self, at: 16))
        }
        guard flags.isSubset(of: .supported), kind == .records || flags.isEmpty, flags.isLabelKnown else {
            throw .unsupportedFlags(flags.rawValue)
        }
        guard bytes.load(UInt16.self, at: 18) == 0, bytes.load(UInt32.self, at: 52) == 0 else {
            throw .reservedNotZero
        }
        guard length >= headerByteCount, length <= FormatLimits.frameByteCountMax else { throw .badLength(length) }
        let recordCount = bytes.load(UInt32.self, at: 48)
        guard recordCount <= FormatLimits.recordsPerFrameMax, (kind == .records) == (recordCount > 0) else {
            throw .badRecordCount(recordCount)
        }
        guard bytes.load(UInt64.self, at: 32) <= .max - UInt64(recordCount),
            !flags.contains(.run) || bytes.load(UInt64.self, at: 64) <= .max - UInt64(recordCount)
        else { throw .badRecordCount(recordCount) }
        return headerByteCount
    }

    /// Reads a header that ``check(_:)`` has accepted before.
    package init(checked bytes: RawSpan) {
        let flags = FrameFlags(rawValue: bytes.load(UInt8.self, at: 17))
        guard let kind = FrameKind(rawValue: bytes.load(UInt8.self, at: 16)) else {
            preconditionFailure("a header was not checked")
        }
        self.init(
            length: bytes.load(UInt32.self, at: 0),
            headerChecksum: bytes.load(UInt32.self, at: 4),
            payloadChecksum: bytes.load(UInt32.self, at: 8),
            previous: bytes.load(UInt32.self, at: 12),
            kind: kind,
            flags: flags,
            node: NodeID(bytes.load(UInt32.self, at: 20)),
            term: Term(bytes.load(UInt64.self, at: 24)),
            firstIndex: LogIndex(bytes.load(UInt64.self, at: 32)),
            timestamp: Timestamp(nanoseconds: bytes.load(UInt64.self, at: 40)),
            recordCount: bytes.load(UInt32.self, at: 48),
            label: flags.contains(.producer) ? Self.label(bytes, flags) : nil
        )
    }

    private static func label(_ bytes: RawSpan, _ flags: FrameFlags) -> AppendLabel {
        let (first, second) = (bytes.load(UInt64.self, at: 56), bytes.load(UInt64.self, at: 64))
        guard !flags.contains(.idempotencyKey) else { return .key(IdempotencyKey(high: first, low: second)) }
        let sequence = ProducerSequence(producer: first, sequence: second)
        return flags.contains(.run) ? .run(from: sequence) : .producer(sequence)
    }
}
