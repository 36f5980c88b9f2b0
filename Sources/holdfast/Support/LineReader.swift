import Glibc
import LogModel

/// Reads a file or stdin line by line, in chunks as they come: a pipe's lines are there as soon as they are written.
final class LineReader {
    private static let chunkByteCount = 256 << 10

    private let descriptor: Int32
    private let name: String
    private var rest: [UInt8] = []
    private var isAtEnd = false

    /// - Parameter path: `-` is stdin.
    init(path: String) throws(CommandFailure) {
        self.name = path == "-" ? "stdin" : path
        self.descriptor = path == "-" ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
        guard self.descriptor >= 0 else {
            throw CommandFailure(.refused, "\(path): \(String(cString: strerror(errno)))", applied: .no)
        }
        var status = stat()
        guard fstat(self.descriptor, &status) != 0 || status.st_mode & S_IFMT != S_IFDIR else {
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
            if let end = self.rest.lastIndex(of: UInt8(ascii: "\n")) {
                let lines = self.rest[..<end].split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
                let remainder = Array(self.rest[(end + 1)...])
                self.rest = remainder
                return lines
            }
            guard !self.isAtEnd else {
                guard !self.rest.isEmpty else { return nil }
                defer { self.rest = [] }
                return [self.rest[...]]
            }
            try self.fill()
        }
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
        self.rest += chunk
    }
}
