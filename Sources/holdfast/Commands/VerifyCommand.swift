import ArgumentParser
import HoldfastClient
import HoldfastNode

struct VerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Checks every frame of a data directory; only reads.",
        discussion: "Exit code 65 names damage: file, offset, meaning. A tail that was never synced is not damage.")

    @Argument(help: "A node's data directory.")
    var directory: String

    @OptionGroup var output: OutputOptions

    func run() throws {
        let console = self.output.console
        var verification = try DirectoryVerification(self.directory)
        let report = try verification.run { console.progress($0) }
        console.endProgress()
        switch self.output.output {
        case .json: console.out(bytes: JSONDocument.encode(report))
        case .table:
            let rows = report.segments.map { segment in
                let colour: Console.Colour = segment.state == "DAMAGED" ? .red : .green
                return [
                    segment.file, "\(segment.frames)", "\(segment.records)",
                    segment.firstIndex.map { "\($0)" } ?? "-", "\(segment.bytes)",
                    console.coloured(segment.state, colour),
                ]
            }
            console.out(Console.table(["SEGMENT", "FRAMES", "RECORDS", "FIRST INDEX", "BYTES", "STATE"], rows))
            for finding in report.findings {
                console.out("\(finding.file) at \(finding.offset): \(finding.meaning)")
            }
        }
        guard report.isDamaged else {
            let byteCount = report.segments.reduce(0) { $0 + $1.bytes }
            console.note("good: \(Units.described(byteCount: UInt64(byteCount))) checked")
            return
        }
        throw CommandFailure(
            .damaged, "\(self.directory) is damaged",
            next: "keep it; restore this node from another one, and look at the disk")
    }
}
