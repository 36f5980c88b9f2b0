import ArgumentParser
import HoldfastClient
import LogModel
import SegmentFormat
import SegmentLog

struct InspectSegmentCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "segment", abstract: "Lists the frames of a segment.",
        discussion: """
            Checks them on the way, and stops with exit code 65 at the first that is not whole; with 78 where a later \
            release has written the segment.

            Example: holdfast inspect segment data/n1/000000.wal
            """)

    @Argument(help: "A segment file like data/n1/000000.wal, or a data directory.", completion: .file())
    var path: String

    @Argument(help: "With a directory: the segment's number.")
    var segment: UInt32?

    @Option(name: [.customShort("n"), .customLong("limit")], parsing: .unconditional, help: "At most so many frames.")
    var limit: Int?

    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard self.limit ?? 1 > 0 else { throw ValidationError("--limit must be above 0.") }
    }

    func run() throws {
        let console = self.output.console
        let file = try InspectCommand.segmentFile(self.path, self.segment)
        var walk = try SegmentWalk(file, after: nil)
        var frames: [SegmentWalk.Frame] = []
        let stop = try walk.run { frame in
            frames.append(SegmentWalk.Frame(offset: frame.offset, header: frame.header, bytes: []))
            return frames.count < self.limit ?? .max
        }
        switch self.output.output {
        case .json:
            for frame in frames {
                var writer = JSONWriter()
                writer.object { frame.header.write(to: &$0, at: frame.offset) }
                writer.endLine()
                console.out(bytes: writer.bytes)
            }
        case .table:
            if let header = walk.header {
                console.out(
                    "segment \(header.segment) of cluster \(header.cluster), first index \(header.firstIndex), "
                        + "predecessor \(header.previousLength) bytes long, chain \(header.previousChecksum.hex)")
            }
            let rows = frames.map { frame in
                [
                    "\(frame.offset)", "\(frame.header.length)", "\(frame.header.kind)", "\(frame.header.term)",
                    "\(frame.header.node)", "\(frame.header.firstIndex)", "\(frame.header.recordCount)",
                    // The first segment's checkpoint has none.
                    frame.header.timestamp.nanoseconds == 0 ? "-" : RFC3339.text(frame.header.timestamp),
                ]
            }
            console.out(
                Console.table(["OFFSET", "BYTES", "KIND", "TERM", "NODE", "INDEX", "RECORDS", "TIME"], rows))
        }
        switch stop {
        case .endOfFile: return
        case .zeros(let loose):
            console.note(
                "the data ends at \(walk.offset) of \(walk.file.byteCount) bytes, \(loose == 0 ? "zeros behind it" : "\(loose) bytes behind it that no frame reaches")"
            )
        case .defect(let defect):
            if let version = defect.laterVersion { throw CommandFailure.laterFormat(file, version: version) }
            throw CommandFailure(
                .damaged, "\(file) at \(walk.header == nil ? 0 : walk.offset): \(defect.words)",
                next:
                    "\(Invocation.command("verify", DataPath.parent(of: file))) says whether this is damage or a tail "
                    + "that was never synced")
        }
    }
}

extension FixedWidthInteger where Self: UnsignedInteger {
    /// All of its digits, as checksums and producers are shown.
    var hex: String {
        let text = String(self, radix: 16)
        return String(repeating: "0", count: Self.bitWidth / 4 - text.count) + text
    }
}

extension IdempotencyKey {
    /// All of its digits.
    var hex: String { self.high.hex + self.low.hex }
}

extension FrameHeader {
    func write(to writer: inout JSONWriter, at offset: Int) {
        writer.member("offset", offset)
        writer.member("length", self.length)
        writer.member("kind", "\(self.kind)")
        writer.member("term", self.term.rawValue)
        writer.member("node", self.node.rawValue)
        writer.member("first_index", self.firstIndex.rawValue)
        writer.member("records", self.recordCount)
        writer.member("timestamp", RFC3339.text(self.timestamp))
        switch self.label {
        case nil: break
        case .producer(let producer):
            writer.member("producer", producer.producer.hex)
            writer.member("sequence", producer.sequence)
        case .run(let first):
            writer.member("producer", first.producer.hex)
            writer.member("first_sequence", first.sequence)
        case .key(let key): writer.member("idempotency_key", key.hex)
        }
        writer.member("header_checksum", self.headerChecksum.hex)
        writer.member("payload_checksum", self.payloadChecksum.hex)
        writer.member("previous_checksum", self.previous.hex)
    }
}
