import Foundation
import Glibc

/// One run of `log-workload`: a process with a log, and what it said so far.
///
/// It ends with this value; and by itself after half a minute, should the tests be killed.
final class WorkloadProcess {
    /// What a line says.
    enum Line: Hashable {
        case opened(next: UInt64)
        case acknowledged(index: UInt64, checksum: UInt64)
        case refused(errno: UInt64)
        case closed
    }

    enum Ending: Hashable {
        case exited(Int32)
        case killed(Int32)
    }

    private let pid: pid_t
    private let output: String
    /// Its stdin. Held open for reading here too, so that writing to a process that is gone is no signal.
    private let input: Pipe
    private var ending: Ending?

    private static let lineByteCount = 64
    /// Beside the test bundle.
    private static let program = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        .deletingLastPathComponent().appendingPathComponent("log-workload").path

    /// - Parameters:
    ///   - mode: `append` or `close`.
    ///   - output: A file that does not exist.
    ///   - tracer: Put in front of the command.
    init(_ directory: String, _ policy: String, writers: Int, mode: String, output: String, tracer: [String] = [])
        throws
    {
        let command = tracer + [Self.program, directory, policy, "\(writers)", mode]
        let input = Pipe()
        let file = open(output, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw Failed("open \(output)", errno) }
        defer { close(file) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, input.fileHandleForReading.fileDescriptor, STDIN_FILENO)
        posix_spawn_file_actions_adddup2(&actions, file, STDOUT_FILENO)
        var words = command.map { strdup($0) } + [nil]
        var environment = [strdup("SWIFT_BACKTRACE=enable=no"), nil]
        defer { for word in words + environment { free(word) } }
        var pid: pid_t = 0
        let result = posix_spawnp(&pid, command[0], &actions, nil, &words, &environment)
        guard result == 0 else { throw Failed(command.joined(separator: " "), result) }
        self.pid = pid
        self.output = output
        self.input = input
    }

    struct Failed: Error, CustomStringConvertible {
        var description: String
        init(_ what: String, _ errno: Int32) { self.description = "\(what): \(String(cString: strerror(errno)))" }
        init(_ what: String) { self.description = what }
    }

    deinit { self.kill() }

    /// Makes it close its log.
    func askToClose() throws { try self.input.fileHandleForWriting.write(contentsOf: Data([1])) }

    /// Bytes that it has written.
    private var byteCount: Int {
        var status = stat()
        return stat(self.output, &status) == 0 ? Int(status.st_size) : 0
    }

    /// Waits until it wrote so many lines, or has ended.
    func awaitLines(_ count: Int) async throws {
        try await Self.wait("\(count) lines") { self.byteCount >= count * Self.lineByteCount || self.hasEnded }
    }

    /// The end of the process, without its help.
    func kill() {
        guard self.ending == nil else { return }
        _ = Glibc.kill(self.pid, SIGKILL)
        self.reap(0)
    }

    func awaitEnd() async throws -> Ending {
        try await Self.wait("the workload to end") { self.hasEnded }
        return self.ending ?? .exited(0)
    }

    private var hasEnded: Bool {
        if self.ending == nil { self.reap(WNOHANG) }
        return self.ending != nil
    }

    private func reap(_ options: Int32) {
        var status: Int32 = 0
        guard waitpid(self.pid, &status, options) == self.pid else { return }
        self.ending = status & 0x7f == 0 ? .exited(status >> 8 & 0xff) : .killed(status & 0x7f)
    }

    private static func wait(_ what: String, for condition: () -> Bool) async throws {
        let deadline = ContinuousClock.now + .seconds(20)
        while !condition() {
            guard ContinuousClock.now < deadline else { throw Failed("waited in vain for \(what)") }
            try await Task.sleep(for: .microseconds(500))
        }
    }

    /// What it said, once it has ended.
    func lines() throws -> [Line] {
        let text = String(decoding: try Data(contentsOf: URL(fileURLWithPath: self.output)), as: UTF8.self)
        guard text.utf8.count % Self.lineByteCount == 0 else { throw Failed("half a line at the end") }
        return try text.split(separator: "\n").map { line in
            let words = line.split(separator: " ")
            guard words.count == 3, let first = UInt64(words[1]), let second = UInt64(words[2], radix: 16) else {
                throw Failed("not a line: \(line)")
            }
            switch words[0] {
            case "opened": return .opened(next: first)
            case "acked": return .acknowledged(index: first, checksum: second)
            case "refused": return .refused(errno: first)
            case "closed": return .closed
            default: throw Failed("not a line: \(line)")
            }
        }
    }
}
