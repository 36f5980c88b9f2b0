import ArgumentParser
import HoldfastClient
import SegmentLog

struct ClusterCorruptCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "corrupt", abstract: "Flips one bit in a node's segment file, as a rotting disk would.",
        discussion: """
            Without --segment and --offset it is in the middle of the newest sealed segment, or of the only one. It says what \
            verify will find. The node gets the range from another node when it is started, or at once with --running; a \
            cluster of one has nobody to ask.

            Example: holdfast cluster kill n3; holdfast cluster corrupt n3
            Example: holdfast cluster corrupt n3 --segment 0 --offset 4096
            """)

    @Argument(help: "A node's name.", completion: .localNodes) var node: String

    @Option(help: "The segment's number: 0 is 000000.wal.")
    var segment: UInt32?

    @Option(help: "The byte's offset in the file; needs --segment.")
    var offset: Int?

    @Flag(
        help: "Also when the node runs: it may serve what it has in memory, and finds the damage when it reads there.")
    var running = false

    @OptionGroup var options: ClusterOptions

    func validate() throws {
        guard self.offset ?? 0 >= 0 else { throw ValidationError("--offset must be 0 or more.") }
        guard self.offset == nil || self.segment != nil else { throw ValidationError("--offset needs --segment.") }
    }

    func run() async throws {
        let cluster = try self.options.cluster()
        let node = try cluster.node(self.node)
        if !self.running, let process = cluster.process(node) {
            throw CommandFailure(
                .refused, "\(node.name) runs, as process \(process.pid)",
                next: "\(cluster.command("kill", node.name)) first, or say --running")
        }
        let directory = cluster.dataDirectory(node)
        let place = try CorruptionPlace(directory, segment: self.segment, offset: self.offset)
        let change = try place.flip()
        let meaning = try self.meaning(of: place, in: directory)
        self.say(node, place, change, meaning)
        let start =
            self.running ? "" : "; then \(cluster.command("start", node.name)): it asks the others for the range"
        self.options.console.note("see \(Invocation.command("verify", directory))\(start)")
    }

    /// What `verify` says about the byte; `nil` when it does not mind.
    private func meaning(
        of place: CorruptionPlace, in directory: String
    ) throws(CommandFailure) -> VerifyDocument.Finding? {
        let openedBy = DataPath.holder(of: directory)
        let report: AuditReport
        do throws(LogError) {
            report = try LogAudit.run(.init(directory), isRunning: openedBy != nil)
        } catch {
            throw CommandFailure(.system, "\(directory): \(error)", next: "the byte was flipped all the same")
        }
        return VerifyDocument(directory, report, openedBy: openedBy, seconds: 0).findings.first {
            $0.file == place.name && ($0.offset..<$0.end).contains(place.offset)
        }
    }

    private func say(
        _ node: LocalCluster.Node, _ place: CorruptionPlace, _ change: CorruptionPlace.Change,
        _ meaning: VerifyDocument.Finding?
    ) {
        switch self.options.output.output {
        case .table:
            let frame = place.frame.map { ", in \($0)" } ?? ""
            self.options.console.out(
                "\(node.name): byte \(place.offset) of \(place.path)\(frame), was \(change.before) and is \(change.after) now"
            )
            self.options.console.out(
                meaning.map { "\($0.severity): bytes \($0.offset)..<\($0.end): \($0.meaning)" }
                    ?? "no frame is hurt: nothing of the log was there")
        case .json:
            struct Document: Encodable {
                var node: UInt32
                var file: String
                var offset: Int
                var before: UInt8
                var after: UInt8
                var finding: VerifyDocument.Finding?
            }
            self.options.console.out(
                bytes: JSONDocument.encode(
                    Document(
                        node: node.number, file: place.path, offset: place.offset, before: change.before,
                        after: change.after, finding: meaning)))
        }
    }
}
