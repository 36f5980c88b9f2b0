import Glibc

/// A process by its number and its start: a number that was given to another process later is not ours.
struct ProcessIdentity: Hashable, Sendable {
    var pid: pid_t
    /// Clock ticks since boot, from `/proc/PID/stat`.
    var startTicks: UInt64

    /// - Returns: `nil` when no such process runs.
    init?(running pid: pid_t) {
        guard let stat = Self.stat(of: pid) else { return nil }
        self.pid = pid
        self.startTicks = stat.startTicks
    }

    /// Parses `PID TICKS`.
    init?(_ text: String) {
        let parts = text.split(whereSeparator: \.isWhitespace)
        guard parts.count == 2, let pid = pid_t(parts[0]), let ticks = UInt64(parts[1]) else { return nil }
        self.pid = pid
        self.startTicks = ticks
    }

    var text: String { "\(self.pid) \(self.startTicks)\n" }

    var isRunning: Bool { Self.stat(of: self.pid)?.startTicks == self.startTicks }

    /// Whether SIGSTOP holds it.
    var isPaused: Bool {
        Self.stat(of: self.pid).map { $0.state == "T" && $0.startTicks == self.startTicks } ?? false
    }

    /// - Returns: Whether the process was there to take it.
    @discardableResult
    func signal(_ number: Int32) -> Bool { self.isRunning && kill(self.pid, number) == 0 }

    /// Waits until the process has ended, and collects it when it is a child of this one.
    ///
    /// - Returns: Whether it ended in time.
    func waitForEnd(milliseconds: UInt64) async -> Bool {
        let deadline = ContinuousClock.now + .milliseconds(milliseconds)
        while true {
            var status: Int32 = 0
            _ = waitpid(self.pid, &status, WNOHANG)
            guard self.isRunning else { return true }
            guard ContinuousClock.now < deadline else { return false }
            try? await Task.sleep(for: .milliseconds(5))
        }
    }

    /// The third and the 22nd field; the second is a name in parentheses that may hold anything. Zombies do not run; but
    /// while other threads of a killed process are still ending, its ports and files are in use, though its first one is
    /// a zombie.
    private static func stat(of pid: pid_t) -> (state: Substring, startTicks: UInt64)? {
        guard pid > 0, let text = Files.text("/proc/\(pid)/stat"), let end = text.lastIndex(of: ")") else { return nil }
        let fields = text[text.index(after: end)...].split(separator: " ")
        guard fields.count > 19 else { return nil }
        let isEnding = fields[0] == "Z" || fields[0] == "X"
        guard !isEnding || Files.names(in: "/proc/\(pid)/task").count > 1 else { return nil }
        return UInt64(fields[19]).map { (fields[0], $0) }
    }
}

enum Spawn {
    /// `POSIX_SPAWN_SETSID`, which glibc's headers show to `_GNU_SOURCE` only.
    private static let setsid: Int32 = 0x80

    /// A node that holds a pipe of our caller open would keep that caller waiting for its end.
    private static func keepDescriptorsHere() {
        for descriptor in Files.names(in: "/proc/self/fd").compactMap({ Int32($0) }) where descriptor > STDERR_FILENO {
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        }
    }

    /// Starts a program in a session of its own, so that it outlives this one's terminal.
    ///
    /// - Parameter log: Gets stdout and stderr, appended.
    /// - Throws: What the system says, in words.
    static func detached(
        _ program: String, _ arguments: [String], log: String
    ) throws(CommandFailure) -> ProcessIdentity {
        self.keepDescriptorsHere()
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, log, O_WRONLY | O_CREAT | O_APPEND, 0o644)
        posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // The child's signals are as a fresh program expects them, whatever this process ignores or blocks.
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        let flags = self.setsid | Int32(POSIX_SPAWN_SETSIGMASK) | Int32(POSIX_SPAWN_SETSIGDEF)
        posix_spawnattr_setflags(&attributes, Int16(flags))
        let strings = ([program] + arguments).map { strdup($0) }
        defer { for string in strings { free(string) } }
        var pid: pid_t = 0
        let environment = Environment.all.filter { !Environment.clientNames.contains($0.key) }
            .map { strdup("\($0.key)=\($0.value)") }
        defer { for string in environment { free(string) } }
        let result = posix_spawn(&pid, program, &actions, &attributes, strings + [nil], environment + [nil])
        guard result == 0, let identity = ProcessIdentity(running: pid) else {
            throw CommandFailure(
                .system, "cannot start \(program): \(String(cString: strerror(result)))", next: "see \(log)")
        }
        return identity
    }
}
