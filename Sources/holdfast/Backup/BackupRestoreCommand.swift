import ArgumentParser
import Foundation
import HoldfastClient
import LogModel
import SegmentLog

struct BackupRestoreCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore", abstract: "Makes a node's data directory out of a backup, in a new cluster.",
        discussion: """
            The node leads alone, with all records, cursors, and what is known of producers; others join it with empty data \
            directories: serve --join and member add. Nodes of the old cluster and of the new one refuse each other. A \
            restore that was cut off leaves nothing that a node would start with; given again it begins anew.

            Example: holdfast backup restore kept --data-dir data/n1 --node-id 1
            Example: holdfast backup restore kept --data-dir d --node-id 1 --through 7
            """)

    @Argument(help: "The backup's directory.", completion: .directory) var directory: String

    @Option(help: "The data directory to make: empty, or not there yet.", completion: .directory) var dataDir: String

    @Option(help: "The node's number: 1 or n1.", transform: NodeArgument.parse) var nodeId: UInt32

    @Option(
        help: ArgumentHelp(
            "Ends with this record, or with what was written by then. Batches are not split: one that goes further is left "
                + "out.",
            discussion: "An index, or a time: \(ReadBound.times)."),
        transform: Self.bound)
    var through: BackupBound?

    @OptionGroup var output: OutputOptions

    private static func bound(_ text: String) throws -> BackupBound {
        switch ReadBound(text) {
        case .start(.index(let index)): return .index(index)
        case .time(let time): return .time(time)
        case .start, nil: throw ValidationError("--through takes an index from 1, or @TIME: \(ReadBound.times)")
        }
    }

    func run() throws {
        let console = self.output.console
        let bar = ProgressBar("restoring", console)
        let began = ContinuousClock.now
        let restored: BackupRestore.Restored
        do throws(BackupError) {
            restored = try BackupRestore.run(
                .init(Files.absolute(self.directory)), into: .init(Files.absolute(self.dataDir)),
                node: NodeID(self.nodeId), through: self.through ?? .everything,
                cluster: ClusterID(high: UInt64.random(in: 1 ... .max), low: UInt64.random(in: 1 ... .max)),
                incarnation: Incarnation(UInt64.random(in: 1 ... .max)),
                now: Timestamp(nanoseconds: UInt64(max(0, Date().timeIntervalSince1970) * 1e9))
            ) { bar.show(done: $0, of: $1) }
        } catch {
            bar.end()
            throw self.failure(error)
        }
        bar.end()
        let document = BackupRestoreDocument(self.dataDir, restored, seconds: began.duration(to: .now).seconds)
        switch self.output.output {
        case .json: console.out(bytes: JSONDocument.encode(document))
        case .table: for line in document.lines { console.out(line) }
        }
        console.note(
            "start it: \(Invocation.command("serve", "--data-dir", self.dataDir, "--node-id", "\(self.nodeId)")); each other "
                + "node joins with an empty data directory: serve --join, then "
                + "\(Invocation.command("member", "add")) N --peer HOST:PORT --client HOST:PORT")
    }

    private func failure(_ error: BackupError) -> CommandFailure {
        switch error {
        case .notEmpty, .inUse: CommandFailure(error, self.dataDir)
        case .log(.noSpace):
            CommandFailure(
                .system, "the disk of \(self.dataDir) is full; it is no node's data directory yet",
                next: "make room, and give the same command again: it begins anew")
        case .log(.laterFormat(let file, let version)):
            .laterFormat(
                "\(self.directory)/\(file)", version: version, fate: "\(self.dataDir) is no node's data directory yet")
        case .log(let error):
            CommandFailure(
                .system, "\(error); \(self.dataDir) is no node's data directory yet",
                next: "check both paths and their permissions, and give the same command again: it begins anew")
        default: CommandFailure(error, self.directory)
        }
    }
}
