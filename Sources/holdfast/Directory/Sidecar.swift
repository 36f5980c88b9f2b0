import LogModel
import SegmentFormat

/// A read-only look at the two-slot files of a data directory, VOTE and DURABLE.
///
/// A slot: u32 magic | u16 version | u16 flags | u64 sequence | 11 u32 words | u32 CRC-32C. The valid one with
/// the higher sequence counts.
struct Sidecar {
    var flags: UInt16
    var sequence: UInt64
    var words: [UInt32]

    static func slot(_ bytes: Bytes, magic: UInt32) -> Sidecar? {
        guard bytes.count == 64 else { return nil }
        func number(at offset: Int, _ count: Int) -> UInt64 {
            (0..<count).reduce(0) { $0 | UInt64(bytes[bytes.startIndex + offset + $1]) << (8 * UInt64($1)) }
        }
        let covered = bytes.prefix(60)
        let computed = CRC32C.checksum(covered.span.bytes)
        guard
            number(at: 0, 4) == UInt64(magic), number(at: 4, 2) == 1, number(at: 60, 4) == UInt64(computed)
        else { return nil }
        return Sidecar(
            flags: UInt16(number(at: 6, 2)), sequence: number(at: 8, 8),
            words: (0..<11).map { UInt32(number(at: 16 + 4 * $0, 4)) })
    }

    private func long(_ index: Int) -> UInt64 { UInt64(self.words[index]) | UInt64(self.words[index + 1]) << 32 }

    struct Durable {
        var position: Position
        var term: Term
        var commit: Position
        var first: SegmentID
        var isClean: Bool
        var sequence: UInt64
    }

    /// Both slots of DURABLE; `nil` for one that is not valid.
    static func durables(in directory: String) throws(CommandFailure) -> [Durable?] {
        let bytes = try FileWindow("\(directory)/DURABLE").bytes(at: 0, count: 4096)
        return [0, 2048].map { offset in
            Self.slot(bytes.dropFirst(offset).prefix(64), magic: 0x5544_4648).map { slot in
                Durable(
                    position: Position(slot.words[2], slot.words[3]), term: Term(slot.long(0)),
                    commit: Position(slot.words[4], slot.words[5]), first: SegmentID(slot.words[6]),
                    isClean: slot.flags & 1 != 0, sequence: slot.sequence)
            }
        }
    }

    struct Vote {
        var term: Term
        var member: Member?
        var isBarred: Bool
        var sequence: UInt64
    }

    /// Both slots of VOTE; `nil` for one that is not valid.
    static func votes(in directory: String) throws(CommandFailure) -> [Vote?] {
        let bytes = try FileWindow("\(directory)/VOTE").bytes(at: 0, count: 8192)
        return [0, 4096].map { offset in
            Self.slot(bytes.dropFirst(offset).prefix(64), magic: 0x4F56_4648).map { slot in
                Vote(
                    term: Term(slot.long(0)),
                    member: slot.flags & 1 == 0
                        ? nil : Member(node: NodeID(slot.words[4]), incarnation: Incarnation(slot.long(2))),
                    isBarred: slot.flags & 2 != 0, sequence: slot.sequence)
            }
        }
    }
}
