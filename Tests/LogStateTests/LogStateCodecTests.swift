import LogModel
import LogState
import SegmentFormat
import Testing

struct LogStateCodecTests {
    private let members = Membership(voters: [
        Member(node: NodeID(2), incarnation: Incarnation(0x22)),
        Member(node: NodeID(1), incarnation: Incarnation(0x11)),
    ])

    private let golden = """
        0100 0000
        02 01000000 1100000000000000  02000000 2200000000000000
        00 00 00
        02 0000000000000000 0100000000000000 00000000 40000000
           0300000000000000 0100000000000000 00000000 c8000000
        01 00000000 40000000
        0900000000000000
        0100 4d00000000000000 0200000000000000 02
             0100000000000000 0300000000000000 00000000 00010000 50000000 0100
             0200000000000000 0300000000000000 00000000 50010000 64000000 0200
        0100 8877665544332211 00ffeeddccbbaa99
             0400000000000000 0300000000000000 00000000 b4010000 50000000 0100
        0100 02 04 6a6f6273 0300000000000000
        """

    private var goldenBytes: [UInt8] {
        let digits = Array(packed(self.golden))
        return stride(from: 0, to: digits.count, by: 2).compactMap { UInt8(String(digits[$0...$0 + 1]), radix: 16) }
    }

    @Test func `version 1 bytes never change`() throws {
        let state = try LogState(decoding: self.goldenBytes[...])
        #expect(state.membership == self.members)
        #expect(state.terms.starts.map(\.term) == [.zero, Term(3)])
        #expect(state.terms.starts.map(\.position) == [Position(0, 64), Position(0, 200)])
        #expect(state.trimmedBefore == Position(0, 64))
        let append = StoredAppend(
            firstIndex: LogIndex(2), recordCount: 2, term: Term(3), position: Position(0, 336), end: Position(0, 436))
        #expect(state.verdict(on: ProducerSequence(producer: 77, sequence: 2)) == .duplicate(append))
        let keyed = StoredAppend(
            firstIndex: LogIndex(4), recordCount: 1, term: Term(3), position: Position(0, 436), end: Position(0, 516))
        #expect(state.append(of: IdempotencyKey(high: 0x1122_3344_5566_7788, low: 0x99aa_bbcc_ddee_ff00)) == keyed)
        #expect(state.fencingToken == 9)
        let jobs = try #require(CursorName("jobs"))
        #expect(state.cursors[jobs] == Cursor(index: LogIndex(3), holdsTrims: true))
        #expect(hex(state.encoded()) == packed(self.golden))
    }

    @Test func `membership bytes never change`() throws {
        let golden = "02 01000000 1100000000000000  02000000 2200000000000000  00 00 00"
        #expect(hex(self.members.encoded()) == packed(golden))
        #expect(try Membership(decoding: self.members.encoded()[...]) == self.members)
        let joint = Membership(
            voters: self.members.voters, outgoing: [self.members.voters[0]],
            learners: [Learner(Member(node: NodeID(3), incarnation: Incarnation(0x33)), replaces: NodeID(1))],
            addresses: [
                NodeID(3): MemberAddress(peer: "h:1", client: "h:2"), NodeID(9): MemberAddress(peer: "", client: ""),
            ])
        let full = """
            02 01000000 1100000000000000  02000000 2200000000000000
            01 01000000 1100000000000000
            01 03000000 3300000000000000 01 01000000
            01 03000000 03 683a31 03 683a32
            """
        #expect(hex(joint.encoded()) == packed(full))
        #expect(try Membership(decoding: joint.encoded()[...]) == joint)
        let recovered = Membership(
            voters: [self.members.voters[1]],
            recovery: QuorumRecovery(generation: 2, position: Position(3, 4_096), nextIndex: LogIndex(17)))
        let marked = """
            01 02000000 2200000000000000 00 00
            80 02000000 03000000 00100000 1100000000000000
            """
        #expect(hex(recovered.encoded()) == packed(marked))
        #expect(try Membership(decoding: recovered.encoded()[...]) == recovered)
    }

    @Test func `every truncation and every longer form is refused`() {
        let bytes = self.goldenBytes
        for count in 0..<bytes.count {
            #expect(throws: LogStateError.self, "\(count)") { try LogState(decoding: bytes[..<count]) }
        }
        #expect(throws: LogStateError.trailingBytes(1)) { try LogState(decoding: bytes + [0]) }
    }

    @Test func `whatever a single-bit flip still decodes to has these very bytes`() {
        for bit in 0..<self.goldenBytes.count * 8 {
            var bytes = self.goldenBytes
            bytes[bit / 8] ^= 1 << (bit % 8)
            guard let state = try? LogState(decoding: bytes[...]) else { continue }
            #expect(state.encoded() == bytes, "bit \(bit)")
        }
    }

    @Test func `another version is refused before anything else is read`() {
        #expect(throws: LogStateError.unsupportedVersion(2)) { try LogState(decoding: [2, 0]) }
    }

    @Test func `appends of one frame are a run or nothing`() throws {
        var writer = LogWriter()
        var state = LogState(founding: Membership())
        _ = try state.apply(try writer.run(7, from: 1, count: 2))
        let bytes = state.encoded()
        // The last result of the only producer; keys and cursors, none, are behind it.
        let last = bytes.count - 4 - 30
        for (offset, value) in [(0, 3), (0, 1), (8, 1), (24, 0xff), (28, 2)] as [(Int, UInt8)] {
            var changed = bytes
            changed[last + offset] = value
            #expect(throws: LogStateError.notCanonical(.results), "\(offset)") { try LogState(decoding: changed[...]) }
        }
        #expect(try LogState(decoding: bytes[...]) == state)
    }

    @Test func `what no encoder writes is refused by name`() {
        func refusal(_ offset: Int, _ value: UInt8) -> LogStateError? {
            var bytes = self.goldenBytes
            bytes[offset] = value
            do throws(LogStateError) {
                _ = try LogState(decoding: bytes[...])
                return nil
            } catch {
                return error
            }
        }
        #expect(refusal(2, 1) == .notCanonical(.reserved))
        #expect(refusal(4, 200) == .notCanonical(.voters))
        #expect(refusal(5, 2) == .notCanonical(.voters))
        #expect(refusal(32, 65) == .notCanonical(.terms))
        #expect(refusal(57, 0) == .notCanonical(.terms))
        #expect(refusal(81, 2) == .notCanonical(.trim))
        #expect(refusal(99, 3) == .notCanonical(.producers))
        #expect(refusal(108, 3) == .notCanonical(.results))
        #expect(refusal(116, 0) == .notCanonical(.results))
        #expect(refusal(117, 0) == .notCanonical(.results))
        #expect(refusal(178, 9) == .notCanonical(.keys))
        #expect(refusal(195, 0) == .notCanonical(.results))
        #expect(refusal(226, 2) == .notCanonical(.cursors))
        #expect(refusal(225, 0) == .trailingBytes(14))
        #expect(refusal(227, 0) == .notCanonical(.cursors))
        #expect(refusal(227, 3) == .notCanonical(.cursors))
        #expect(refusal(228, 0) == .notCanonical(.cursors))
        #expect(refusal(229, UInt8(ascii: "/")) == .notCanonical(.cursors))
        #expect(refusal(233, 0) == .notCanonical(.cursors))
    }

    @Test func `the fullest state fits a checkpoint`() throws {
        func members(_ nodes: ClosedRange<UInt32>) -> [Member] {
            nodes.map { Member(node: NodeID($0), incarnation: Incarnation(.max)) }
        }
        let text = String(repeating: "h", count: LogStateLimits.addressByteCountMax)
        let membership = Membership(
            voters: members(1...31), outgoing: members(32...62), learners: members(63...70).map { Learner($0) },
            addresses: Dictionary(
                uniqueKeysWithValues: (1...70).map { (NodeID($0), MemberAddress(peer: text, client: text)) }),
            recovery: QuorumRecovery(generation: 2, position: .zero, nextIndex: .first))
        #expect(membership.encoded().count == 15_324)
        var state = LogState(founding: membership)
        var writer = LogWriter()
        _ = try state.apply(
            writer.place(.control(.trim, payload: LogState.trimPayload(before: Position(.max, .max)))))
        for _ in 0..<64 {
            writer.term = writer.term.next
            _ = try state.apply(writer.place(.control(.termStart, payload: [])))
        }
        for sequence in 1...17 as ClosedRange<UInt64> {
            for producer in 1...257 as ClosedRange<UInt64> where producer <= 256 || sequence == 17 {
                _ = try state.apply(try writer.append(producer, producer == 257 ? 1 : sequence))
            }
        }
        _ = try state.apply(try writer.append(1, 1))
        for key in 1...2_049 as ClosedRange<UInt64> { _ = try state.apply(try writer.append(key: key)) }
        for number in 100..<356 {
            let name = try #require(CursorName("\(number)" + String(repeating: "x", count: 61)))
            _ = try state.apply(writer.place(StateChange.setCursor(name, Cursor(index: LogIndex(.max))).draft))
        }
        #expect(state.producerCount == 256)
        #expect(state.idempotencyKeyCount == 2_048)
        #expect(state.cursors.count == 256)
        let bytes = state.encoded()
        #expect(bytes.count == 257_272 - 2 * 15 * 30)
        #expect(bytes.count <= LogState.encodedByteCountMax)
        #expect(try LogState(decoding: bytes[...]) == state)
    }
}
