import LogModel

/// Reads fields off the front of a message, little-endian.
package struct WireReader {
    private let bytes: Bytes
    /// From the start of the message.
    private var offset = 0

    package init(_ bytes: Bytes) {
        self.bytes = bytes
    }

    /// What `read` makes of a message that holds nothing else.
    ///
    /// - Throws: What `read` does; ``WireError/trailingBytes(_:)`` when it leaves some.
    static func whole<Value>(
        _ bytes: Bytes, _ read: (inout WireReader) throws(WireError) -> Value
    ) throws(WireError) -> Value {
        var reader = WireReader(bytes)
        let value = try read(&reader)
        try reader.finish()
        return value
    }

    private var available: Int { self.bytes.count - self.offset }

    package mutating func integer<Number: FixedWidthInteger & BitwiseCopyable>(
        _: Number.Type = Number.self
    ) throws(WireError) -> Number {
        let size = MemoryLayout<Number>.size
        guard self.available >= size else { throw .truncated(needed: size, available: self.available) }
        let bits = self.bytes.span.bytes.unsafeLoadUnaligned(fromByteOffset: self.offset, as: Number.self)
        self.offset += size
        return Number(littleEndian: bits)
    }

    package mutating func bool() throws(WireError) -> Bool {
        switch try self.integer(UInt8.self) {
        case 0: return false
        case 1: return true
        default: throw .badValue(.bool)
        }
    }

    package mutating func version(_ agreed: UInt16) throws(WireError) {
        let stated = try self.integer(UInt16.self)
        guard stated == agreed else { throw .otherVersion(stated: stated, agreed: agreed) }
    }

    /// Terms count elections: one that no cluster can reach is refused, before it is stored and spread.
    package mutating func term() throws(WireError) -> Term {
        let term = Term(try self.integer())
        guard term.rawValue <= WireLimits.termMax else { throw .badValue(.term) }
        return term
    }

    package mutating func timestamp() throws(WireError) -> Timestamp { Timestamp(nanoseconds: try self.integer()) }

    package mutating func position() throws(WireError) -> Position {
        let segment: UInt32 = try self.integer()
        return Position(segment, try self.integer())
    }

    package mutating func point() throws(WireError) -> LogPoint {
        let term = try self.term()
        return LogPoint(term: term, position: try self.position())
    }

    package mutating func member() throws(WireError) -> Member {
        let node: UInt32 = try self.integer()
        return Member(node: NodeID(node), incarnation: Incarnation(try self.integer()))
    }

    package mutating func cluster() throws(WireError) -> ClusterID {
        let high: UInt64 = try self.integer()
        return ClusterID(high: high, low: try self.integer())
    }

    package mutating func termStarts() throws(WireError) -> [TermStart] {
        let count = Int(try self.integer(UInt8.self))
        guard count <= WireLimits.termStartsMax else { throw .badValue(.termStarts) }
        var starts: [TermStart] = []
        starts.reserveCapacity(count)
        for _ in 0..<count {
            let term = try self.term()
            let index = LogIndex(try self.integer())
            let start = TermStart(term: term, firstIndex: index, position: try self.position())
            if let last = starts.last {
                guard last.term < start.term, last.position < start.position, last.firstIndex <= start.firstIndex
                else { throw .badValue(.termStarts) }
            }
            starts.append(start)
        }
        return starts
    }

    /// All that is left; shares storage.
    package mutating func remainder() -> Bytes {
        defer { self.offset = self.bytes.count }
        return self.bytes.dropFirst(self.offset)
    }

    package func finish() throws(WireError) {
        guard self.available == 0 else { throw .trailingBytes(self.available) }
    }
}

extension [UInt8] {
    mutating func put<Number: FixedWidthInteger & BitwiseCopyable>(_ number: Number) {
        var bits = number.littleEndian
        Swift.withUnsafeBytes(of: &bits) { self.append(contentsOf: $0) }
    }

    mutating func put(_ value: Bool) { self.append(value ? 1 : 0) }

    mutating func put(_ term: Term) { self.put(term.rawValue) }

    mutating func put(_ timestamp: Timestamp) { self.put(timestamp.nanoseconds) }

    mutating func put(_ position: Position) {
        self.put(position.segment.rawValue)
        self.put(position.offset)
    }

    mutating func put(_ point: LogPoint) {
        self.put(point.term)
        self.put(point.position)
    }

    mutating func put(_ member: Member) {
        self.put(member.node.rawValue)
        self.put(member.incarnation.rawValue)
    }

    mutating func put(_ cluster: ClusterID) {
        self.put(cluster.high)
        self.put(cluster.low)
    }

    mutating func put(_ starts: [TermStart]) {
        precondition(starts.count <= WireLimits.termStartsMax, "too many terms for a message")
        self.append(UInt8(starts.count))
        for start in starts {
            self.put(start.term)
            self.put(start.firstIndex.rawValue)
            self.put(start.position)
        }
    }
}
