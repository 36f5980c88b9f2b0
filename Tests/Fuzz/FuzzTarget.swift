import LogModel
import SegmentFormat

/// One decoder, held to its promises under any input.
protocol FuzzTarget: SendableMetatype {
    static var name: String { get }
    /// Valid inputs.
    static var seeds: [[UInt8]] { get }
    /// Traps when a promise is broken.
    static func test(_ input: [UInt8])
}

/// Values that seeds are made of.
enum Samples {
    static let cluster = ClusterID(high: 0x0011_2233_4455_6677, low: 0x8899_aabb_ccdd_eeff)

    static let records = [
        Record("hello"),
        Record(key: Bytes("k1".utf8), value: [], isTombstone: true),
        Record(key: Bytes("k".utf8), value: Bytes("abc".utf8), timeToLiveMilliseconds: 1_000),
        Record(String(repeating: "x", count: 300)),
    ]

    static let members = Membership(
        voters: (1...3).map { Member(node: NodeID($0), incarnation: Incarnation(0x1111 * UInt64($0))) })

    /// Everything that a membership may have.
    static let joint = Membership(
        voters: members.voters, outgoing: [members.voters[0]],
        learners: [Learner(Member(node: NodeID(4), incarnation: Incarnation(4)), replaces: NodeID(1))],
        addresses: [NodeID(4): MemberAddress(peer: "h:1", client: "h:2")])
}

/// Puts right checksums into mutated bytes: without them no mutation would get further than the first check.
enum Repair {
    static func segmentHeader(_ bytes: inout [UInt8], at offset: Int = 0) {
        Self.trailing(&bytes, offset..<offset + 60)
    }

    /// Slots end with a checksum as segment headers do.
    static func slot(_ bytes: inout [UInt8], at offset: Int = 0) { Self.trailing(&bytes, offset..<offset + 60) }

    /// - Returns: Bytes of the whole frame as its header says; `nil` when they are not there.
    @discardableResult
    static func frame(_ bytes: inout [UInt8], at offset: Int = 0, previous: UInt32? = nil) -> Int? {
        guard bytes.count - offset >= FrameHeader.byteCount else { return nil }
        if let previous { Self.store(previous, in: &bytes, at: offset + 12) }
        let length = Int(Self.load(bytes, at: offset))
        let header = bytes[offset + 17] & FrameFlags.producer.rawValue != 0 ? 72 : 56
        guard bytes.count - offset >= header else { return nil }
        let isWhole = length >= header && length <= bytes.count - offset
        if isWhole {
            let payload = CRC32C.checksum(bytes.span.bytes.extracting(offset + header..<offset + length))
            Self.store(payload, in: &bytes, at: offset + 8)
        }
        let start = CRC32C.checksum(bytes.span.bytes.extracting(offset..<offset + 4))
        let checksum = CRC32C.checksum(bytes.span.bytes.extracting(offset + 8..<offset + header), extending: start)
        Self.store(checksum, in: &bytes, at: offset + 4)
        return isWhole ? length : nil
    }

    /// Chains the frames from `offset` on, as far as there are any.
    static func frames(_ bytes: inout [UInt8], from offset: Int, previous: UInt32) {
        var offset = offset
        var previous = previous
        while let length = Self.frame(&bytes, at: offset, previous: previous) {
            previous = Self.load(bytes, at: offset + 4)
            offset += length
        }
    }

    static func load(_ bytes: [UInt8], at offset: Int) -> UInt32 { bytes.span.bytes.load(UInt32.self, at: offset) }

    private static func trailing(_ bytes: inout [UInt8], _ range: Range<Int>) {
        guard bytes.count >= range.upperBound + 4 else { return }
        Self.store(CRC32C.checksum(bytes.span.bytes.extracting(range)), in: &bytes, at: range.upperBound)
    }

    private static func store(_ number: UInt32, in bytes: inout [UInt8], at offset: Int) {
        for byte in 0..<4 { bytes[offset + byte] = UInt8(truncatingIfNeeded: number >> (8 * byte)) }
    }
}
