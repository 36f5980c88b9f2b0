import Glibc

/// One thing that a disk is asked to do again and again, in a file of bounded length that is removed afterwards.
struct DiskBenchCell: Sendable {
    /// What the file was before it is written to: it decides how much else the file system has to write.
    enum Space: String, CaseIterable, Encodable, Sendable {
        /// Empty: every write makes it longer.
        case growing
        /// Allocated and never written, as the segments of a log are.
        case allocated
        /// Written before: only data changes.
        case overwritten
    }

    enum Work: String, Encodable, Sendable {
        /// An fdatasync after each write: what a log waits for under `always`.
        case synced = "write + fdatasync"
        /// Writes one behind the other, and one fdatasync when the file is full.
        case sequential = "sequential write"
    }

    /// What one run measured.
    struct Run: Sendable {
        var byteCount = 0
        var seconds = 0.0
        /// Of each write, with its sync when it has one.
        var latencies = LatencyRecorder()
    }

    var work: Work
    var space: Space
    /// Bytes of one write.
    var size: Int
    /// Where the file ends: a multiple of `size`.
    var fileByteCount: Int
    var milliseconds: UInt64

    var title: String { "\(self.work.rawValue), \(self.space.rawValue), \(self.size) bytes" }

    /// - Parameter directory: Empty; removed afterwards.
    func run(in directory: String) throws(CommandFailure) -> Run {
        let path = "\(directory)/data"
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw Self.failure(path) }
        defer { close(descriptor) }
        let bytes = Array(BenchBytes.value(self.size))
        try self.prepare(descriptor, path)
        var run = Run()
        var offset = 0
        let limit = self.milliseconds * 1_000_000
        var spent: UInt64 = 0
        while spent < limit {
            if offset == self.fileByteCount {
                // Not measured: what the file was before, it is again.
                try self.prepare(descriptor, path)
                offset = 0
            }
            let began = MonotonicClock.now
            guard pwrite(descriptor, bytes, bytes.count, offset) == bytes.count else { throw Self.failure(path) }
            offset += bytes.count
            if self.work == .synced {
                guard fdatasync(descriptor) == 0 else { throw Self.failure(path) }
            }
            let written = MonotonicClock.now
            run.latencies.record(written - began)
            if self.work == .sequential, offset == self.fileByteCount || spent + (written - began) >= limit {
                guard fdatasync(descriptor) == 0 else { throw Self.failure(path) }
            }
            run.byteCount += bytes.count
            spent += MonotonicClock.now - began
        }
        run.seconds = Double(spent) / 1e9
        return run
    }

    private func prepare(_ descriptor: Int32, _ path: String) throws(CommandFailure) {
        switch self.space {
        case .growing:
            guard ftruncate(descriptor, 0) == 0 else { throw Self.failure(path) }
        case .allocated:
            guard ftruncate(descriptor, 0) == 0 else { throw Self.failure(path) }
            let result = posix_fallocate(descriptor, 0, self.fileByteCount)
            guard result == 0 else { throw Self.failure(path, errno: result) }
        case .overwritten:
            var status = stat()
            guard fstat(descriptor, &status) == 0 else { throw Self.failure(path) }
            // Full already: it is written over once more.
            if Int(status.st_size) == self.fileByteCount { return }
            let zeros = [UInt8](repeating: 0, count: self.size)
            for offset in stride(from: 0, to: self.fileByteCount, by: self.size) {
                guard pwrite(descriptor, zeros, zeros.count, offset) == zeros.count else { throw Self.failure(path) }
            }
        }
        guard fsync(descriptor) == 0 else { throw Self.failure(path) }
    }

    private static func failure(_ path: String, errno code: Int32 = errno) -> CommandFailure {
        CommandFailure(
            .system, "cannot write \(path): \(String(cString: strerror(code)))",
            next: "choose another --dir, or a smaller --file-size")
    }
}
