import Foundation
import Glibc
import Synchronization

/// A directory for measuring in, removed at the end, also when the command is interrupted; and the processes that
/// work in it, which are ended then.
final class BenchScratch: Sendable {
    let path: String
    private let children = Mutex<Set<pid_t>>([])
    private let runs = Mutex<Int>(0)
    private let hasEnded = Mutex<Bool>(false)

    /// - Parameter parent: Where to make it; must exist.
    init(in parent: String) throws(CommandFailure) {
        var template = Array("\(Files.absolute(parent))/holdfast-bench-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw CommandFailure(
                .usage, "cannot make a directory in \(parent): \(String(cString: strerror(errno)))",
                next: "name an existing directory on the disk that is to be measured with --dir")
        }
        self.path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Everything is being removed: what fails now fails for that.
    var isEnding: Bool { self.hasEnded.withLock { $0 } }

    /// Ends the processes and removes everything; nothing can be begun any more.
    func end() {
        self.hasEnded.withLock { $0 = true }
        for child in self.children.withLock({ $0 }) { kill(child, SIGKILL) }
        // What is still running here or dying there may make another file in between.
        var attempts = 0
        repeat {
            Files.remove(self.path)
            attempts += 1
            usleep(2_000)
        } while Files.exists(self.path) && attempts < 500
    }

    /// Makes a directory in here.
    ///
    /// - Throws: `CancellationError` when everything is being removed.
    func makeDirectory(_ name: String) throws -> String {
        let path = "\(self.path)/\(name)"
        try self.hasEnded.withLock { hasEnded in
            guard !hasEnded else { throw CancellationError() }
            try Files.makeDirectory(path)
        }
        return path
    }

    /// Runs `body` in a fresh directory that is removed afterwards.
    func withDirectory<Result>(_ body: (String) async throws -> Result) async throws -> Result {
        let path = try self.makeDirectory("\(self.runs.withLock { $0 += 1; return $0 })")
        defer { Files.remove(path) }
        return try await body(path)
    }

    /// Runs a program to its end.
    ///
    /// - Returns: Its status, negative when a signal ended it, and what it wrote to stdout and stderr.
    func run(_ program: String, _ arguments: [String], in directory: String) async throws -> (Int32, String) {
        let output = "\(directory)/output"
        guard FileManager.default.createFile(atPath: output, contents: nil),
            let handle = FileHandle(forWritingAtPath: output)
        else { throw CommandFailure(.system, "cannot write \(output)") }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = handle
        process.standardError = handle
        let status = try await withCheckedThrowingContinuation {
            (continuation: CheckedContinuation<Int32, any Error>) in
            process.terminationHandler = { process in
                // Not before it was noted: one that ends at once would stay in the list.
                self.hasEnded.withLock { _ in
                    self.children.withLock { _ = $0.remove(process.processIdentifier) }
                }
                let isExit = process.terminationReason == .exit
                continuation.resume(returning: isExit ? process.terminationStatus : -process.terminationStatus)
            }
            do {
                // Begun and noted at once, or not at all: whoever ends this must know of every process.
                try self.hasEnded.withLock { hasEnded in
                    guard !hasEnded else { throw CancellationError() }
                    try process.run()
                    self.children.withLock { _ = $0.insert(process.processIdentifier) }
                }
            } catch {
                continuation.resume(throwing: CommandFailure(.system, "cannot start \(program): \(error)"))
            }
        }
        if self.isEnding { throw CancellationError() }
        return (status, Files.text(output) ?? "")
    }
}
