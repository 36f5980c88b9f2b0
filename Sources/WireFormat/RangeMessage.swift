import LogModel

package enum RangeEncoding: UInt8, Hashable, Sendable, CaseIterable {
    case identity = 0
    /// zlib, as HTTP's `deflate` (RFC 9110 §8.4.1.2).
    case deflate = 1
}

/// Whole frames of one segment, or with an empty body only how far the leader has committed.
///
///     u64 term | commit 8 | from 8 | previous 16 | u32 previous checksum | u32 raw length | u8 encoding | body
package struct RangeMessage: WireMessage {
    package static let headByteCount = 49

    package var term: Term
    package var commit: Position
    /// Of the body's first byte; offset 0 when a segment's header comes first.
    package var from: Position
    /// The end of the frame before.
    package var previous: LogPoint
    /// Header checksum of the frame before.
    package var previousChecksum: UInt32
    /// Bytes of the body once inflated.
    package var rawByteCount: UInt32
    package var encoding: RangeEncoding
    /// Shares the storage of the received bytes.
    package var body: Bytes

    package init(
        term: Term, commit: Position, from: Position, previous: LogPoint, previousChecksum: UInt32,
        rawByteCount: UInt32, encoding: RangeEncoding, body: Bytes
    ) {
        self.term = term
        self.commit = commit
        self.from = from
        self.previous = previous
        self.previousChecksum = previousChecksum
        self.rawByteCount = rawByteCount
        self.encoding = encoding
        self.body = body
    }

    package init(reading reader: inout WireReader) throws(WireError) {
        self.term = try reader.term()
        self.commit = try reader.position()
        self.from = try reader.position()
        self.previous = try reader.point()
        self.previousChecksum = try reader.integer()
        self.rawByteCount = try reader.integer()
        guard let encoding = RangeEncoding(rawValue: try reader.integer()) else { throw .badValue(.encoding) }
        self.encoding = encoding
        self.body = reader.remainder()
        guard
            self.rawByteCount <= WireLimits.rangeByteCountMax, self.body.isEmpty == (self.rawByteCount == 0),
            encoding == .deflate || self.body.count == Int(self.rawByteCount)
        else { throw .badValue(.rawByteCount) }
    }

    package func encode(into bytes: inout [UInt8]) {
        self.encodeHead(into: &bytes)
        bytes.append(contentsOf: self.body)
    }

    func encodeHead(into bytes: inout [UInt8]) {
        bytes.put(self.term)
        bytes.put(self.commit)
        bytes.put(self.from)
        bytes.put(self.previous)
        bytes.put(self.previousChecksum)
        bytes.put(self.rawByteCount)
        bytes.append(self.encoding.rawValue)
    }
}

/// What the follower has of the leader's log, and what it has synced.
package struct AckMessage: WireMessage {
    package var term: Term
    package var received: LogPoint
    package var persisted: LogPoint
    package var refusal: StreamRefusal?

    package init(term: Term, received: LogPoint, persisted: LogPoint, refusal: StreamRefusal? = nil) {
        self.term = term
        self.received = received
        self.persisted = persisted
        self.refusal = refusal
    }

    package init(reading reader: inout WireReader) throws(WireError) {
        self.term = try reader.term()
        self.received = try reader.point()
        self.persisted = try reader.point()
        self.refusal = try StreamRefusal.read(&reader)
    }

    package func encode(into bytes: inout [UInt8]) {
        bytes.put(self.term)
        bytes.put(self.received)
        bytes.put(self.persisted)
        StreamRefusal.encode(self.refusal, into: &bytes)
    }
}
