import DequeModule
import LogModel

/// The newest frames, kept in memory so that followers near the tail cost no file reads.
///
///     | chunk | chunk | chunk |     each: whole frames of one segment
///     ^first                  ^end of the log
///
/// What the disk has not written yet is never dropped, whatever the bound says.
package struct TailBuffer: Sendable {
    package struct Chunk: Sendable {
        /// Of the first byte: offset 0 when the segment's header comes first.
        package var from: Position
        /// The end of the frame before.
        package var previous: LogPoint
        package var previousChecksum: UInt32
        package var bytes: Bytes
        package var end: LogPoint
        package var endChecksum: UInt32
    }

    private var chunks: Deque<Chunk> = []
    package private(set) var byteCount = 0
    private let byteCountMax: Int

    package init(byteCountMax: Int) {
        self.byteCountMax = byteCountMax
    }

    package mutating func append(_ chunk: Chunk, written: Position) {
        self.chunks.append(chunk)
        self.byteCount += chunk.bytes.count
        self.shrink(written: written)
    }

    package mutating func shrink(written: Position) {
        while self.byteCount > self.byteCountMax, let oldest = self.chunks.first, oldest.end.position <= written {
            self.byteCount -= oldest.bytes.count
            self.chunks.removeFirst()
        }
    }

    /// Forgets what lies behind `point`; a chunk that it cuts goes whole and is read from the file.
    package mutating func truncate(to point: LogPoint) {
        while let newest = self.chunks.last, newest.end.position > point.position {
            self.byteCount -= newest.bytes.count
            self.chunks.removeLast()
        }
    }

    /// The chunk that continues a log ending at `previous`, if it is still here.
    ///
    /// - Complexity: O(log chunks).
    package func chunk(after previous: LogPoint) -> Chunk? {
        self.index(after: previous).map { self.chunks[$0] }
    }

    private func index(after previous: LogPoint) -> Int? {
        var low = 0
        var high = self.chunks.count
        while low < high {
            let middle = (low + high) / 2
            if self.chunks[middle].previous.position < previous.position { low = middle + 1 } else { high = middle }
        }
        guard low < self.chunks.count, self.chunks[low].previous == previous else { return nil }
        return low
    }

    /// Neighbouring chunks of one segment as one, up to `byteCountMax` bytes; a larger first chunk comes alone.
    package func run(after previous: LogPoint, byteCountMax: Int) -> Chunk? {
        guard let first = self.index(after: previous) else { return nil }
        var run = self.chunks[first]
        var end = first + 1
        var byteCount = run.bytes.count
        while end < self.chunks.count, self.chunks[end].previous == self.chunks[end - 1].end,
            self.chunks[end].from.segment == run.from.segment,
            byteCount + self.chunks[end].bytes.count <= byteCountMax
        {
            byteCount += self.chunks[end].bytes.count
            end += 1
        }
        guard end > first + 1 else { return run }
        var bytes = [UInt8]()
        bytes.reserveCapacity(byteCount)
        for index in first..<end { bytes.append(contentsOf: self.chunks[index].bytes) }
        run.bytes = bytes[...]
        run.end = self.chunks[end - 1].end
        run.endChecksum = self.chunks[end - 1].endChecksum
        return run
    }
}
