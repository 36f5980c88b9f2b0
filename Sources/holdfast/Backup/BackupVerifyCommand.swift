import ArgumentParser
import HoldfastClient
import HoldfastNode
import SegmentLog

struct BackupVerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Checks every byte of a backup, and says what it holds; only reads.",
        discussion: """
            Exit code 65 names damage: file, bytes, what it means; 78 a segment that a later release has written, which \
            is none. May run beside a run of backup create.

            Example: holdfast backup verify kept -o json
            """)

    @Argument(help: "The backup's directory.", completion: .directory) var directory: String
    @OptionGroup var output: OutputOptions

    func run() throws {
        let console = self.output.console
        let bar = ProgressBar(self.directory, console)
        let began = ContinuousClock.now
        let audit: BackupAudit
        do throws(BackupError) {
            audit = try BackupAudit.run(.init(Files.absolute(self.directory))) { bar.show(done: $0, of: $1) }
        } catch {
            bar.end()
            throw CommandFailure(error, self.directory)
        }
        bar.end()
        let seconds = began.duration(to: .now).seconds
        let document = BackupVerifyDocument(self.directory, audit, seconds: seconds)
        switch self.output.output {
        case .json: console.out(bytes: JSONDocument.encode(document))
        case .table: for line in document.lines(console) { console.out(line) }
        }
        guard !document.damaged else {
            throw CommandFailure(
                .damaged, "\(self.directory) is damaged",
                next: "take another backup, into an empty directory; what stands before the damage can be restored: "
                    + Invocation.command("backup", "restore", self.directory) + " --through INDEX")
        }
        if let later = document.laterFormat {
            throw CommandFailure.laterFormat("\(self.directory)/\(later.file)", version: later.version)
        }
        let size = Units.described(byteCount: UInt64(audit.byteCount))
        console.note("\(self.directory) is good: \(size) in \(seconds.rounded(2)) s")
    }
}
