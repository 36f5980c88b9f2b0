import Glibc
import LogModel

/// A file, read through one buffer: whoever walks it forward reads each byte about once.
final class FileWindow {
    private static let readByteCount = 4 << 20

    let path: String
    let byteCount: Int
    private let descriptor: Int32
    private var start = 0
    private var buffer: [UInt8] = []

    init(_ path: String) throws(CommandFailure) {
        self.path = path
        self.descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard self.descriptor >= 0 else {
            throw CommandFailure(.refused, "\(path): \(String(cString: strerror(errno)))")
        }
        var status = stat()
        fstat(self.descriptor, &status)
        self.byteCount = Int(status.st_size)
    }

    deinit { close(self.descriptor) }

    /// `count` bytes at `offset`, fewer at the end of the file.
    func bytes(at offset: Int, count: Int) throws(CommandFailure) -> Bytes {
        let wanted = max(0, min(count, self.byteCount - offset))
        if offset < self.start || offset + wanted > self.start + self.buffer.count {
            try self.fill(at: offset, count: max(wanted, Self.readByteCount))
        }
        let from = offset - self.start
        return self.buffer[from..<min(from + wanted, self.buffer.count)]
    }

    /// Where the bytes that are not zero end; `offset` when all behind it are zero.
    func endOfNonZero(from offset: Int) throws(CommandFailure) -> Int {
        var end = offset
        var at = offset
        while at < self.byteCount {
            let part = try self.bytes(at: at, count: Self.readByteCount)
            guard !part.isEmpty else { break }
            if let last = part.lastIndex(where: { $0 != 0 }) { end = at + last - part.startIndex + 1 }
            at += part.count
        }
        return end
    }

    private func fill(at offset: Int, count: Int) throws(CommandFailure) {
        var filled = 0
        var failure: Int32 = 0
        let descriptor = self.descriptor
        self.buffer = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            while filled < count {
                let result = pread(
                    descriptor, buffer.baseAddress?.advanced(by: filled), count - filled, offset + filled)
                if result < 0, errno == EINTR { continue }
                if result < 0 { failure = errno }
                guard result > 0 else { break }
                filled += result
            }
            initialized = filled
        }
        self.start = offset
        guard failure == 0 else {
            throw CommandFailure(
                .damaged, "\(self.path) cannot be read at \(offset + filled): \(String(cString: strerror(failure)))",
                next: "holdfast verify says what of a data directory can be read, and what can be done")
        }
    }
}
