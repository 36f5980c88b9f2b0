import ArgumentParser
import HoldfastClient
import LogModel

struct InspectFrameCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "frame", abstract: "Takes one frame apart: header, checksums, chain, records.",
        discussion: """
            inspect frame data/n1 3:1064, or inspect frame data/n1/000003.wal 1064; inspect segment lists where frames \
            begin.

            Example: holdfast inspect frame data/n1 0:236
            """)

    @Argument(help: "A data directory, or a segment file.", completion: .file())
    var path: String

    @Argument(help: "Where the frame begins: segment:offset in a directory, offset in a file.")
    var position: String

    @Option(help: "Show so many bytes of each key and value.")
    var width = 48

    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard Position(self.position) != nil || UInt32(self.position) != nil else {
            throw ValidationError("\"\(self.position)\" is not a position like 3:1064, nor an offset like 1064.")
        }
        guard self.width > 0 else { throw ValidationError("--width must be above 0.") }
    }

    func run() throws {
        let console = self.output.console
        let view: FrameView
        if let position = Position(self.position) {
            let isDirectory = if case .directory? = try? DataPath(self.path, expected: "") { true } else { false }
            let file = try InspectCommand.segmentFile(self.path, isDirectory ? position.segment.rawValue : nil)
            if case .segment(let segment, _)? = try? DataPath(file, expected: ""), segment != position.segment {
                throw CommandFailure(
                    .usage, "\(file) is segment \(segment), and not \(position.segment)",
                    next: "name the offset alone, or a data directory")
            }
            view = try FrameView(file, segment: position.segment, offset: Int(position.offset))
        } else {
            let file = try InspectCommand.segmentFile(self.path, nil)
            let segment: SegmentID =
                if case .segment(let segment, _)? = try? DataPath(file, expected: "") { segment } else { .first }
            view = try FrameView(file, segment: segment, offset: Int(self.position) ?? 0)
        }
        switch self.output.output {
        case .json: console.out(bytes: view.json)
        case .table: for line in view.lines(valueByteCountMax: self.width) { console.out(line) }
        }
        guard view.isPayloadGood, view.isChainGood, view.recordFailure == nil else {
            let what =
                view.recordFailure
                ?? (view.isPayloadGood
                    ? "the frame does not follow the one before it"
                    : "the frame's records are not what its checksum says")
            throw CommandFailure(
                .damaged, "\(view.position): \(what)",
                next: "\(Invocation.command("verify", self.path)) says how far the damage goes")
        }
    }
}
