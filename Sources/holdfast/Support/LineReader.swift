import Glibc
import LogModel

/// Reads a file or stdin line by line, in chunks as they come: a pipe's lines are there as soon as they are written.
final class LineReader {
    private static let chunkByteCount = 256 << 10
    /// No record is as long in any format; without it the end of a line would be waited for until memory is full.
    private static let lineByteCountMax = 64 << 20

    private let descriptor: Int32
    /// For messages.
    let name: String
    /// `nil` for what is no regular file: nobody knows how much will come.
    let byteCount: Int?
    private(set) var readByteCount = 0
    private var rest: [UInt8] = []
    /// How much of ``rest`` is known to hold no line end: a long line is searched once, not with every chunk.
    private var searchedByteCount = 0
    private var isAtEnd = false

    /// - Parameter path: `-` is stdin.
    init(path: String) throws(CommandFailure) {
        self.name = path == "-" ? "stdin" : path
        self.descriptor = path == "-" ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
        guard self.descriptor >= 0 else {
            throw CommandFailure(
                .refused, "\(path): \(String(cString: strerror(errno)))", applied: .no,
                next: "name a file that can be read, or - for stdin")
        }
        var status = stat()
        let isKnown = fstat(self.descriptor, &status) == 0
        self.byteCount = isKnown && status.st_mode & S_IFMT == S_IFREG ? Int(status.st_size) : nil
        guard !isKnown || status.st_mode & S_IFMT != S_IFDIR else {
            throw CommandFailure(
                .refused, "\(path) is a directory", applied: .no, next: "name the files whose lines are to be appended")
        }
    }

    deinit {
        if self.descriptor != STDIN_FILENO { close(self.descriptor) }
    }

    /// The lines that are there now, at least one, without their line ends; waits for the first. `nil` at the end.
    ///
    /// A last line without a line end is a line.
    func lines() throws(CommandFailure) -> [Bytes]? {
        while true {
            if let lines = self.wholeLines() { return lines }
            guard !self.isAtEnd else {
                guard !self.rest.isEmpty else { return nil }
                defer { (self.rest, self.searchedByteCount) = ([], 0) }
                return [self.rest[...]]
            }
            try self.fill()
        }
    }

    /// As ``lines()``; then waits for more, until there are `count` or the time is up.
    func lines(gathering count: Int, milliseconds: UInt64) throws(CommandFailure) -> [Bytes]? {
        guard var lines = try self.lines() else { return nil }
        let deadline = MonotonicClock.now + milliseconds * 1_000_000
        while lines.count < count, !self.isAtEnd, self.isReadable(before: deadline) {
            try self.fill()
            lines += self.wholeLines() ?? []
        }
        return lines
    }

    /// Lines whose ends were read, all at once.
    private func wholeLines() -> [Bytes]? {
        guard let end = self.rest[self.searchedByteCount...].lastIndex(of: UInt8(ascii: "\n")) else {
            self.searchedByteCount = self.rest.count
            return nil
        }
        let lines = self.rest[..<end].split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        self.rest = Array(self.rest[(end + 1)...])
        self.searchedByteCount = self.rest.count
        return lines
    }

    /// Waits until something can be read, or the end.
    private func isReadable(before deadline: UInt64) -> Bool {
        let now = MonotonicClock.now
        guard now < deadline else { return false }
        var descriptor = pollfd(fd: self.descriptor, events: Int16(POLLIN), revents: 0)
        // Rounded up: a wait of nothing would spin until the time is up.
        return poll(&descriptor, 1, Int32(clamping: (deadline - now) / 1_000_000 + 1)) > 0
    }

    private func fill() throws(CommandFailure) {
        let descriptor = self.descriptor
        var failure: Int32 = 0
        let chunk = [UInt8](unsafeUninitializedCapacity: Self.chunkByteCount) { buffer, count in
            repeat {
                let result = read(descriptor, buffer.baseAddress, buffer.count)
                failure = result < 0 ? errno : 0
                count = max(0, result)
            } while failure == EINTR
        }
        guard failure == 0 else {
            throw CommandFailure(.refused, "\(self.name): \(String(cString: strerror(failure)))")
        }
        self.isAtEnd = chunk.isEmpty
        self.readByteCount += chunk.count
        self.rest += chunk
        guard self.searchedByteCount <= Self.lineByteCountMax else {
            throw CommandFailure(
                .refused, "\(self.name): a line is over \(Self.lineByteCountMax) bytes, and no record can be",
                applied: .no, next: "append what has line ends, and at most 8 MiB between them")
        }
    }
}
