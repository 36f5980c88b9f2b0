import HoldfastClient
import LogModel
import LogState
import SegmentFormat

/// One frame taken apart: what stands there, and what ought to.
struct FrameView {
    let position: Position
    let bytes: Bytes
    let header: FrameHeader
    /// Of the payload that is there; `nil` when the file ends before it does.
    let payloadChecksum: UInt32?
    /// Header checksum of the frame before; `nil` when what is before is not whole.
    let chain: UInt32?
    private(set) var records: [IndexedRecord] = []
    private(set) var recordFailure: String?

    var isPayloadGood: Bool { self.payloadChecksum == self.header.payloadChecksum }
    var isChainGood: Bool { self.chain == nil || self.chain == self.header.previous }

    /// - Parameter file: A segment file.
    init(_ file: String, segment: SegmentID, offset: Int) throws(CommandFailure) {
        let window = try FileWindow(file)
        var walk = try SegmentWalk(file, after: nil)
        var before: SegmentWalk.Frame?
        var isReached = false
        // The walk shows which frame goes before, and which one holds an offset where none begins.
        let stop = try walk.run { frame in
            isReached = frame.offset == offset
            if frame.offset >= offset { return false }
            before = SegmentWalk.Frame(offset: frame.offset, header: frame.header, bytes: [])
            return true
        }
        if case .defect(let defect) = stop, let version = defect.laterVersion {
            throw .laterFormat(file, version: version)
        }
        let isSound = isReached || (walk.offset == offset && stop != .endOfFile)
        guard offset >= SegmentHeader.byteCount, offset < window.byteCount else {
            throw CommandFailure(
                .usage, "no frame begins at \(offset): \(file) has frames from 64 to \(window.byteCount)",
                next: Invocation.command("inspect", "segment", file))
        }
        let head = try window.bytes(at: offset, count: FrameHeader.producerByteCount)
        self.header = try Self.header(head, file, offset, before: before)
        self.bytes = try window.bytes(at: offset, count: Int(self.header.length))
        self.position = Position(walk.header?.segment.rawValue ?? segment.rawValue, UInt32(offset))
        self.chain = isSound ? before?.header.headerChecksum ?? walk.header?.previousChecksum : nil
        let payload = self.bytes.dropFirst(self.header.headerByteCount)
        self.payloadChecksum =
            self.bytes.count == Int(self.header.length) ? CRC32C.checksum(payload.span.bytes) : nil
        if self.isPayloadGood, self.header.kind == .records { self.decode(payload) }
    }

    private static func header(
        _ head: Bytes, _ file: String, _ offset: Int, before: SegmentWalk.Frame?
    ) throws(CommandFailure) -> FrameHeader {
        let list = Invocation.command("inspect", "segment", file)
        do throws(FormatError) {
            // Less than a header, and only zeros: the end, like more of them.
            let isEnd = head.count < FrameHeader.byteCount && head.allSatisfy { $0 == 0 }
            if !isEnd, let header = try FrameHeader.decode(head.span.bytes) { return header }
        } catch {
            if let before, before.offset + Int(before.header.length) > offset {
                throw CommandFailure(
                    .usage,
                    "no frame begins at \(offset): the frame there goes from \(before.offset) to "
                        + "\(before.offset + Int(before.header.length))",
                    next: list)
            }
            throw CommandFailure(
                .damaged, "no frame begins at \(offset) of \(file): \(error.words)",
                next: "frames that are whole: \(list)")
        }
        throw CommandFailure(.usage, "zeros at \(offset) of \(file): the data ends before", next: list)
    }

    private mutating func decode(_ payload: Bytes) {
        var reader = RecordReader(payload: payload, of: self.header)
        var index = self.header.firstIndex
        do throws(FormatError) {
            while let record = try reader.next() {
                self.records.append(
                    IndexedRecord(
                        index: index, position: self.position, term: self.header.term, timestamp: self.header.timestamp,
                        record: record))
                index = index.advanced(by: 1)
            }
        } catch {
            self.recordFailure = "record \(index) cannot be read: \(error.words)"
        }
    }

    // MARK: Showing it

    /// For people.
    func lines(valueByteCountMax: Int) -> [String] {
        var lines = ["frame \(self.position), \(self.header.length) bytes"]
        lines += Self.hexDump(self.bytes.prefix(self.header.headerByteCount))
        let payload =
            self.payloadChecksum.map { self.isPayloadGood ? "as computed" : "COMPUTED \($0.hex)" }
            ?? "THE FILE ENDS BEFORE"
        let chain = self.chain.map { self.isChainGood ? "the frame before has it" : "THE FRAME BEFORE HAS \($0.hex)" }
        var rows = [
            ["kind", "\(self.header.kind)", ""], ["term", "\(self.header.term)", ""],
            ["node", "\(self.header.node)", "led when it was written"],
            ["first index", "\(self.header.firstIndex)", ""], ["records", "\(self.header.recordCount)", ""],
            ["time", RFC3339.text(self.header.timestamp), ""],
            ["header checksum", self.header.headerChecksum.hex, "as computed"],
            ["payload checksum", self.header.payloadChecksum.hex, payload],
            ["previous", self.header.previous.hex, chain ?? "what is before is not whole"],
        ]
        switch self.header.label {
        case nil: break
        case .producer(let producer):
            rows.append(["producer", producer.producer.hex, "sequence \(producer.sequence)"])
        case .run(let first):
            let last = first.sequence + UInt64(self.header.recordCount) - 1
            rows.append(["producer", first.producer.hex, "sequences \(first.sequence) to \(last), one a record"])
        case .key(let key): rows.append(["idempotency key", key.hex, "128 bits of its hash"])
        }
        rows += self.membershipRows
        lines.append(Console.table(["FIELD", "STORED", ""], rows.map { ["\($0[0])", " \($0[1])", $0[2]] }))
        if !self.records.isEmpty {
            let rows = self.records.map { record in
                [
                    "\(record.index)", Self.short(record.record.key, valueByteCountMax),
                    Self.short(record.record.value, valueByteCountMax), "\(record.record.value.count)",
                    (record.record.isTombstone ? "tombstone " : "")
                        + (record.record.timeToLiveMilliseconds.map { "ttl \($0) ms" } ?? ""),
                ]
            }
            lines.append(Console.table(["INDEX", "KEY", "VALUE", "BYTES", "FLAGS"], rows))
        }
        return lines
    }

    /// Who votes from here on, and whether an operator decided that.
    private var membershipRows: [[String]] {
        guard self.header.kind == .membership, self.isPayloadGood,
            let membership = try? Membership(decoding: self.bytes.dropFirst(self.header.headerByteCount))
        else { return [] }
        let voters = membership.voters.map { "\($0.node)" }.joined(separator: " ")
        let outgoing = membership.outgoing.map { "\($0.node)" }.joined(separator: " ")
        var rows = [["voters", voters, outgoing.isEmpty ? "" : "and a majority of \(outgoing)"]]
        if let recovery = membership.recovery {
            rows.append([
                "generation", "\(recovery.generation)",
                "recovered at index \(recovery.nextIndex) (\(recovery.position))",
            ])
        }
        return rows
    }

    private static func hexDump(_ bytes: Bytes) -> [String] {
        stride(from: 0, to: bytes.count, by: 16).map { offset in
            let row = bytes.dropFirst(offset).prefix(16)
            let hex = row.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: " ")
            let place = String(offset)
            return String(repeating: " ", count: 5 - place.count) + place + "  " + hex
        }
    }

    /// In text they show as what a string literal has for them.
    private static let escapes: [UInt8: String] = [
        UInt8(ascii: "\t"): "\\t", UInt8(ascii: "\n"): "\\n", UInt8(ascii: "\r"): "\\r", UInt8(ascii: "\\"): "\\\\",
    ]

    /// Text with ``escapes``, anything else in hexadecimal; shortened.
    private static func short(_ bytes: Bytes, _ max: Int) -> String {
        guard !bytes.isEmpty else { return "" }
        let part = bytes.prefix(max)
        let isText =
            part.allSatisfy { ($0 >= 0x20 && $0 != 0x7F) || self.escapes[$0] != nil }
            && (try? UTF8Span(validating: bytes.span)) != nil
        let text =
            isText
            ? "\"\(String(decoding: part.flatMap { self.escapes[$0].map { Array($0.utf8) } ?? [$0] }, as: UTF8.self))\""
            : "0x" + part.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        return bytes.count > max ? text + "..." : text
    }

    var json: [UInt8] {
        var writer = JSONWriter(reserving: 1024 + self.bytes.count * 2)
        writer.object {
            $0.member("position", self.position.description)
            self.header.write(to: &$0, at: Int(self.position.offset))
            if let checksum = self.payloadChecksum { $0.member("payload_checksum_computed", checksum.hex) }
            if let chain = self.chain { $0.member("previous_checksum_expected", chain.hex) }
            $0.member("whole", self.isPayloadGood && self.isChainGood && self.recordFailure == nil)
            $0.name("values")
            $0.array { writer in for record in self.records { writer.record(record) } }
        }
        writer.endLine()
        return writer.bytes
    }
}
