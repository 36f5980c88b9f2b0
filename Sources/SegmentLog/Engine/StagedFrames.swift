import DiskIO
import LogModel

/// Frames that wait in memory to be written together, right before the sync that covers them.
///
///     file:   0 ..... written ..... zeros ..... reserved
///     here:           | frames |
///
/// For logs whose appends return after their sync: one write for all that share it. Nobody reads them before that
/// (readers stop at the durable position), and nobody was told that they are there.
struct StagedFrames: Sendable {
    let file: any File
    /// Where they go in the file.
    private(set) var offset: Int
    private(set) var bytes: [UInt8] = []
    /// Zeros to be written behind them.
    private var zeroByteCount = 0

    init(file: any File, offset: Int) {
        self.file = file
        self.offset = offset
    }

    var end: Int { self.offset + self.bytes.count }

    mutating func append(_ frames: RawSpan) {
        frames.withUnsafeBytes { self.bytes.append(contentsOf: $0) }
    }

    /// Hands over what is there, and begins anew behind it.
    ///
    /// - Parameter zerosUpTo: Zeros are written behind the frames, up to this offset of the file.
    mutating func take(zerosUpTo: Int) -> StagedFrames? {
        guard !self.bytes.isEmpty else { return nil }
        var taken = self
        self.offset = self.end
        self.bytes = []
        self.bytes.reserveCapacity(taken.bytes.count)
        taken.zeroByteCount = max(0, zerosUpTo - taken.end)
        return taken
    }

    /// - Throws: ``LogError/storage(_:)``, also for want of space: part of them may be in the file, and others wait for the
    ///   same sync, so it is a failed sync.
    func write() throws(LogError) {
        do throws(DiskError) {
            try self.file.write(self.bytes.span.bytes, at: self.offset)
            if self.zeroByteCount > 0 {
                let zeros = [UInt8](repeating: 0, count: self.zeroByteCount)
                try self.file.write(zeros.span.bytes, at: self.end)
            }
        } catch {
            throw .storage(StorageFailure(error))
        }
    }
}
