import ArgumentParser
import LogModel

struct InspectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect", abstract: "Shows what stands in a node's files; only reads.",
        discussion: "Example: holdfast inspect segment data/n1 0",
        subcommands: [
            InspectSegmentCommand.self, InspectFrameCommand.self, InspectVoteCommand.self, InspectDurableCommand.self,
            InspectIdentityCommand.self,
        ])

    /// The segment file that a path and a number name.
    static func segmentFile(_ path: String, _ id: UInt32?) throws(CommandFailure) -> String {
        let expected = "a segment file (000000.wal), or a data directory and a segment's number"
        switch try DataPath(path, expected: expected) {
        case .segment(_, let file):
            guard id == nil else {
                throw CommandFailure(.usage, "\(path) is one segment: it takes no number", next: "name \(expected)")
            }
            return file
        case .directory(let directory):
            let names = Files.names(in: directory).filter { $0.hasSuffix(".wal") }
            let there = names.isEmpty ? "it holds none" : "it holds \(names.prefix(20).joined(separator: ", "))"
            guard let id else {
                throw CommandFailure(
                    .usage, "\(path) is a directory: which segment? \(there)",
                    next: names.first.flatMap { Int($0.dropLast(4)) }.map { Self.example("segment", path, $0) }
                        ?? "name \(expected)")
            }
            let name = SegmentID(id).fileName
            guard names.contains(name) else {
                throw CommandFailure(.usage, "there is no \(name) in \(path): \(there)", next: "name \(expected)")
            }
            return "\(directory)/\(name)"
        }
    }

    private static func example(_ what: String, _ path: String, _ id: Int) -> String {
        Invocation.command("inspect", what, path, "\(id)")
    }

    /// A data directory that holds the file.
    static func directory(_ path: String, with name: String) throws(CommandFailure) -> String {
        let expected = "a node's data directory, which holds \(name)"
        guard case .directory(let directory) = try DataPath(path, expected: expected) else {
            throw CommandFailure(.usage, "\(path) is a file", next: "name \(expected)")
        }
        guard Files.exists("\(directory)/\(name)") else {
            guard Files.names(in: directory).contains(where: { $0.hasSuffix(".wal") || $0 == "IDENTITY" }) else {
                throw CommandFailure(.usage, "\(path) holds no log", next: "name \(expected)")
            }
            let why = name == "VOTE" ? ": a log that is no node of a cluster has none" : ""
            throw CommandFailure(
                name == "VOTE" ? .refused : .damaged, "there is no \(name) in \(path)\(why)",
                next: "\(Invocation.command("verify", path)) says what is wrong, and what can be done")
        }
        return directory
    }

    /// One of a data directory's small files.
    static func bytes(of name: String, in path: String) throws(CommandFailure) -> [UInt8] {
        let directory = try Self.directory(path, with: name)
        return Array(try FileWindow("\(directory)/\(name)").bytes(at: 0, count: Self.smallFileByteCountMax))
    }

    /// VOTE is the largest of them, with 8 KiB.
    private static let smallFileByteCountMax = 8192
}
