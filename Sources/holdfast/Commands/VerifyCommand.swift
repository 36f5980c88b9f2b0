import ArgumentParser
import HoldfastClient
import SegmentLog

struct VerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Checks every byte of data directories; only reads.",
        discussion: """
            Exit code 65 names damage: file, bytes, what it means, what to do. A tail that was never synced is not \
            damage, nor is what a later release has written: that ends with 78. May run beside the node that writes there.

            Example: holdfast verify data/n1 data/n2 data/n3
            """)

    @Argument(help: ArgumentHelp("Data directories, or segment files (*.wal).", valueName: "dir"), completion: .file())
    var paths: [String]

    @OptionGroup var output: OutputOptions

    private static let expected = "a data directory (IDENTITY, DURABLE, 000000.wal ...) or a segment file"

    func run() throws {
        let paths = try self.paths.map { try DataPath($0, expected: Self.expected) }
        let console = self.output.console
        var damaged: [String] = []
        var unreadable: [CommandFailure] = []
        for (name, path) in zip(self.paths, paths) {
            let document = try self.verify(name, path)
            switch self.output.output {
            case .json: console.out(bytes: JSONDocument.encode(document))
            case .table: document.print(console)
            }
            if let later = document.laterFormat {
                let file = if case .segment = path { name } else { "\(name)/\(later.file)" }
                unreadable.append(.laterFormat(file, version: later.version))
            }
            if document.damaged {
                damaged.append(name)
                console.note("\(name) is damaged; checked \(document.speed)")
            } else if document.laterFormat != nil {
                console.note("\(name) is good as far as this release can read it")
            } else {
                console.note("\(name) is good: \(document.speed)")
            }
        }
        guard damaged.isEmpty else {
            throw CommandFailure(
                .damaged, "\(damaged.joined(separator: ", ")) \(damaged.count == 1 ? "is" : "are") damaged",
                next: "keep what is there, do what the findings say, and look at the disk")
        }
        if let failure = unreadable.first { throw failure }
    }

    private func verify(_ name: String, _ path: DataPath) throws -> VerifyDocument {
        let bar = ProgressBar(name, self.output.console)
        defer { bar.end() }
        let began = MonotonicClock.now
        let report: AuditReport
        var openedBy: String?
        var parent: String?
        do throws(LogError) {
            switch path {
            case .directory(let directory):
                openedBy = DataPath.holder(of: directory)
                report = try LogAudit.run(.init(directory), isRunning: openedBy != nil) { bar.show(done: $0, of: $1) }
            case .segment(let segment, let file):
                let directory = DataPath.parent(of: file)
                parent = directory
                report = try LogAudit.run(segment: segment, file: .init(file), in: .init(directory)) {
                    bar.show(done: $0, of: $1)
                }
            }
        } catch {
            throw CommandFailure(
                .system, "\(name): \(error)", next: "check the path and its permissions")
        }
        guard !report.segments.isEmpty || report.identity != nil || report.durable != nil else {
            throw CommandFailure(.usage, "\(name) holds no log", next: "name \(Self.expected)")
        }
        let seconds = Double(MonotonicClock.now - began) / 1e9
        return VerifyDocument(name, report, openedBy: openedBy, seconds: seconds, repairable: parent)
    }
}
