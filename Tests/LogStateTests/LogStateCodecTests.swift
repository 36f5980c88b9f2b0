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
        02 0000000000000000 0100000000000000 00000000 40000000
           0300000000000000 0100000000000000 00000000 c8000000
        01 00000000 40000000
        0100 4d00000000000000 0200000000000000 02
             0100000000000000 0300000000000000 00000000 00010000 50000000 0100
             0200000000000000 0300000000000000 00000000 50010000 64000000 0200
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
        let result = ProducerResult(
            sequence: 2, firstIndex: LogIndex(2), recordCount: 2, term: Term(3), position: Position(0, 336),
            end: Position(0, 436))
        #expect(state.verdict(on: ProducerSequence(producer: 77, sequence: 2)) == .duplicate(result))
        #expect(hex(state.encoded()) == packed(self.golden))
    }

    @Test func `membership bytes never change`() throws {
        let golden = "02 01000000 1100000000000000  02000000 2200000000000000"
        #expect(hex(self.members.encoded()) == packed(golden))
        #expect(try Membership(decoding: self.members.encoded()[...]) == self.members)
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
        #expect(refusal(29, 65) == .notCanonical(.terms))
        #expect(refusal(54, 0) == .notCanonical(.terms))
        #expect(refusal(78, 2) == .notCanonical(.trim))
        #expect(refusal(87, 2) == .truncated)
        #expect(refusal(88, 3) == .notCanonical(.producers))
        #expect(refusal(87, 0) == .trailingBytes(77))
        #expect(refusal(97, 3) == .notCanonical(.results))
        #expect(refusal(105, 0) == .notCanonical(.results))
        #expect(refusal(106, 0) == .notCanonical(.results))
    }

    @Test func `the fullest state fits a checkpoint`() throws {
        let voters = (1...31).map { Member(node: NodeID($0), incarnation: Incarnation(.max)) }
        var state = LogState(founding: Membership(voters: voters))
        var writer = LogWriter()
        _ = try state.apply(
            writer.place(.control(.trim, payload: LogState.trimPayload(before: Position(.max, .max)))))
        for _ in 0..<64 {
            writer.term = writer.term.next
            _ = try state.apply(writer.place(.control(.termStart, payload: [])))
        }
        for sequence in 1...17 as ClosedRange<UInt64> {
            for producer in 1...513 as ClosedRange<UInt64> where producer <= 512 || sequence == 17 {
                _ = try state.apply(try writer.append(producer, producer == 513 ? 1 : sequence))
            }
        }
        _ = try state.apply(try writer.append(1, 1))
        #expect(state.producerCount == 512)
        let bytes = state.encoded()
        #expect(bytes.count == 256_389 - 2 * 15 * 30)
        #expect(bytes.count <= LogState.encodedByteCountMax)
        #expect(try LogState(decoding: bytes[...]) == state)
    }
}
