import ArgumentParser
import HoldfastClient
import LogModel
import SegmentFormat

struct InspectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect", abstract: "Shows what stands in a node's files.",
        subcommands: [InspectSegmentCommand.self, InspectFrameCommand.self, InspectVoteCommand.self])
}

struct InspectSegmentCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "segment", abstract: "Lists the frames of a segment file.")

    @Argument(help: "A file like data/n1/000000.wal.")
    var file: String

    @Option(name: [.customShort("n"), .customLong("limit")], help: "At most so many frames.")
    var limit = Int.max

    @OptionGroup var output: OutputOptions

    func run() throws {
        let console = self.output.console
        var walk = try SegmentWalk(self.file, after: nil)
        var frames: [SegmentWalk.Frame] = []
        let stop = try walk.run { frame in
            frames.append(frame)
            return frames.count < self.limit
        }
        switch self.output.output {
        case .json:
            for frame in frames { console.out(bytes: frame.header.json(at: frame.offset)) }
        case .table:
            if let header = walk.header {
                console.out(
                    "segment \(header.segment) of cluster \(header.cluster), first index \(header.firstIndex), "
                        + "predecessor \(header.previousLength) bytes long")
            }
            let rows = frames.map { frame in
                [
                    "\(frame.offset)", "\(frame.header.length)", "\(frame.header.kind)", "\(frame.header.term)",
                    "\(frame.header.node)", "\(frame.header.firstIndex)", "\(frame.header.recordCount)",
                    RFC3339.text(frame.header.timestamp),
                ]
            }
            console.out(
                Console.table(["OFFSET", "BYTES", "KIND", "TERM", "NODE", "INDEX", "RECORDS", "TIME"], rows))
        }
        switch stop {
        case .endOfFile: return
        case .zeros(let loose):
            console.note("the data ends at \(walk.offset) of \(walk.file.byteCount) bytes, \(loose) of them loose")
        case .defect(let defect):
            throw CommandFailure(
                .damaged, "\(self.file) at \(walk.header == nil ? 0 : walk.offset): \(defect.words)",
                next: "holdfast verify says whether this is damage or a tail that was never synced")
        }
    }
}

struct InspectFrameCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "frame", abstract: "Shows one frame: its header and its records.")

    @Argument(help: "A file like data/n1/000000.wal.")
    var file: String

    @Argument(help: "Where the frame begins.")
    var offset: Int

    @OptionGroup var output: OutputOptions

    func run() throws {
        let console = self.output.console
        let window = try FileWindow(self.file)
        guard self.offset >= SegmentHeader.byteCount, self.offset < window.byteCount else {
            throw CommandFailure(.usage, "\(self.file) has frames from 64 to \(window.byteCount)")
        }
        let head = try window.bytes(at: self.offset, count: FrameHeader.producerByteCount)
        let header: FrameHeader
        do {
            guard let found = try FrameHeader.decode(head.span.bytes) else {
                throw CommandFailure(.refused, "zeros at \(self.offset): the data ends before")
            }
            header = found
        } catch let error as FormatError {
            throw CommandFailure(
                .damaged, "no frame begins at \(self.offset): \(error.words)",
                next: "holdfast inspect segment lists where frames begin")
        }
        let bytes = try window.bytes(at: self.offset, count: Int(header.length))
        let payload = bytes.dropFirst(header.headerByteCount)
        console.out(bytes: header.json(at: self.offset))
        guard bytes.count == Int(header.length), CRC32C.checksum(payload.span.bytes) == header.payloadChecksum else {
            throw CommandFailure(.damaged, "the frame's payload is not what its checksum says")
        }
        guard header.kind == .records else { return }
        var reader = RecordReader(payload: payload, of: header)
        var index = header.firstIndex
        do {
            while let record = try reader.next() {
                var writer = JSONWriter()
                writer.record(
                    IndexedRecord(
                        index: index, position: Position(0, UInt32(self.offset)), term: header.term,
                        timestamp: header.timestamp, record: record))
                writer.endLine()
                console.out(bytes: writer.bytes)
                index = index.advanced(by: 1)
            }
        } catch {
            throw CommandFailure(.damaged, "a record cannot be read: \(error)")
        }
    }
}

struct InspectVoteCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "vote", abstract: "Shows term and vote of a node's directory.")

    @Argument(help: "A node's data directory.")
    var directory: String

    @OptionGroup var output: OutputOptions

    func run() throws {
        let console = self.output.console
        let slots = try Sidecar.votes(in: self.directory)
        if self.output.output == .json { console.out(bytes: Self.json(slots)) }
        for (name, slot) in zip(["A", "B"], slots) where self.output.output == .table {
            guard let slot else {
                console.out("slot \(name): not valid")
                continue
            }
            let vote = slot.member.map { "voted for n\($0.node) (\($0.incarnation))" } ?? "has not voted"
            console.out(
                "slot \(name): term \(slot.term), \(vote)" + (slot.isBarred ? ", barred from voting" : "")
                    + ", write \(slot.sequence)")
        }
        guard slots.contains(where: { $0 != nil }) else {
            throw CommandFailure(.damaged, "both slots of VOTE are damaged: this node does not vote any more")
        }
    }

    private static func json(_ slots: [Sidecar.Vote?]) -> [UInt8] {
        var writer = JSONWriter()
        writer.array { writer in
            for slot in slots {
                writer.object {
                    $0.member("valid", slot != nil)
                    guard let slot else { return }
                    $0.member("term", slot.term.rawValue)
                    if let member = slot.member {
                        $0.member("voted_for", member.node.rawValue)
                        $0.member("incarnation", member.incarnation.description)
                    }
                    $0.member("barred", slot.isBarred)
                    $0.member("write", slot.sequence)
                }
            }
        }
        writer.endLine()
        return writer.bytes
    }
}

extension FrameHeader {
    fileprivate func json(at offset: Int) -> [UInt8] {
        var writer = JSONWriter()
        writer.object {
            $0.member("offset", offset)
            $0.member("length", self.length)
            $0.member("kind", "\(self.kind)")
            $0.member("term", self.term.rawValue)
            $0.member("node", self.node.rawValue)
            $0.member("first_index", self.firstIndex.rawValue)
            $0.member("records", self.recordCount)
            $0.member("timestamp", RFC3339.text(self.timestamp))
            if let producer = self.producer {
                $0.member("producer", producer.producer)
                $0.member("sequence", producer.sequence)
            }
            $0.member("header_checksum", String(self.headerChecksum, radix: 16))
            $0.member("payload_checksum", String(self.payloadChecksum, radix: 16))
            $0.member("previous_checksum", String(self.previous, radix: 16))
        }
        writer.endLine()
        return writer.bytes
    }
}
