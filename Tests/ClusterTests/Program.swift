import Foundation
import Glibc

/// The real `holdfast`, run as a user runs it: arguments in, exit code and text out.
enum Program {
    /// What one run said.
    struct Answer: Sendable {
        var status: Int32
        var output: String
        var errors: String
        var seconds: Double

        var lines: [String] { self.output.split(separator: "\n").map(String.init) }

        /// Output that is one JSON document.
        func json<Document: Decodable>(_ type: Document.Type) throws -> Document {
            try JSONDecoder().decode(type, from: Data(self.output.utf8))
        }

        /// Output that is one JSON document per line.
        func jsonLines<Document: Decodable>(_ type: Document.Type) throws -> [Document] {
            try self.lines.map { try JSONDecoder().decode(type, from: Data($0.utf8)) }
        }

        var summary: String { "exit code \(self.status) after \(self.seconds) s\n\(self.output)\(self.errors)" }
    }

    /// Beside the test bundle, or where `HOLDFAST_BINARY` says.
    static let path: String =
        ProcessInfo.processInfo.environment["HOLDFAST_BINARY"]
        ?? URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        .appendingPathComponent("holdfast").path

    /// Whether it is the one that was built with these tests, for debugging.
    static let isDebugBuild: Bool = {
        #if DEBUG
            ProcessInfo.processInfo.environment["HOLDFAST_BINARY"] == nil
        #else
            false
        #endif
    }()

    /// This shell's settings of Holdfast are not about the tests' nodes.
    private static let environment: [String: String] = {
        var result = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("HOLDFAST_") }
        result["SWIFT_BACKTRACE"] = "enable=no"
        result["NO_COLOR"] = "1"
        return result
    }()

    /// One at a time: what Foundation hears a process's end by is inherited by whatever is spawned at the same moment, and it is
    /// not heard before that one ends, too.
    private static let spawning = NSLock()

    /// Runs it to its end.
    ///
    /// - Parameters:
    ///   - executable: Another program than `holdfast`.
    ///   - input: Its stdin; by default there is none.
    ///   - directory: Where it runs; by default a directory of its own.
    ///   - seconds: After that it is killed.
    /// - Throws: ``Late`` when it had to be killed.
    static func run(
        _ arguments: [String], executable: String = Program.path, input: String? = nil,
        environment: [String: String] = [:], directory: String? = nil, seconds: Double = 30
    ) async throws -> Answer {
        // Files and not pipes: nobody has to empty them.
        let scratch = try Scratch()
        defer { scratch.end() }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: executable)
        process.arguments = arguments
        process.environment = self.environment.merging(environment) { $1 }
        process.currentDirectoryURL = URL(fileURLWithPath: directory ?? scratch.path)
        process.standardInput = FileHandle.nullDevice
        if let input {
            try scratch.write(input, to: "stdin")
            process.standardInput = try FileHandle(forReadingFrom: URL(fileURLWithPath: "\(scratch.path)/stdin"))
        }
        process.standardOutput = try scratch.create("stdout")
        process.standardError = try scratch.create("stderr")
        let started = ContinuousClock.now
        try Self.spawning.withLock { try process.run() }
        var isLate = false
        while process.isRunning {
            if Task.isCancelled || started.duration(to: .now) > .seconds(seconds) {
                isLate = true
                kill(process.processIdentifier, SIGKILL)
                usleep(2_000)
            }
            try? await Task.sleep(for: .milliseconds(4))
        }
        let answer = Answer(
            status: process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus,
            output: try scratch.text("stdout"), errors: try scratch.text("stderr"),
            seconds: started.duration(to: .now).seconds)
        if isLate { throw Late(what: "\(executable) \(arguments.joined(separator: " "))", state: answer.summary) }
        return answer
    }
}

/// Something did not happen in time.
struct Late: Error, CustomStringConvertible {
    var what: String
    var state: String
    var description: String { "waited in vain for \(self.what); now: \(self.state)" }
}

/// Waits until a condition holds: the only way in which these tests wait.
///
/// - Parameter state: Tells how it stands when the time is up.
func eventually(
    _ what: String, within seconds: Double = 20, state: () async -> String = { "" },
    _ condition: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + .seconds(seconds)
    while try await !condition() {
        guard ContinuousClock.now < deadline else { throw Late(what: what, state: await state()) }
        try await Task.sleep(for: .milliseconds(5))
    }
}

extension Duration {
    var seconds: Double {
        Double(self.components.seconds) + Double(self.components.attoseconds) / 1e18
    }
}
