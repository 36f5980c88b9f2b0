import DiskIO
import LogModel

/// A file read in large pieces by somebody who walks it forward: memory is one piece, or one frame if that is larger.
struct AuditWindow {
    private static let byteCount = 1 << 20

    let file: any File
    /// Nothing at or behind this offset is read; lower than it was when the file has become shorter meanwhile.
    private(set) var end: Int
    private(set) var start = 0
    private(set) var bytes: [UInt8] = []
    /// From where on the disk does not deliver.
    private var refused: (offset: Int, error: DiskError)?

    init(_ file: any File, end: Int) {
        self.file = file
        self.end = end
    }

    /// Where what is in memory ends.
    var limit: Int { self.start + self.bytes.count }

    /// Makes sure that `count` bytes from `offset` are in memory, or as many as there are before ``end``.
    ///
    /// - Throws: What the disk refuses, when it is among these bytes.
    mutating func load(at offset: Int, count: Int) throws(DiskError) {
        let wanted = min(offset + count, self.end)
        if offset >= self.start, wanted <= self.limit { return }
        // Let go of the old piece first, so that there are never two.
        self.bytes = []
        self.start = offset
        try self.fill(
            count: max(0, min(max(count, Self.byteCount), self.end - offset)), needed: max(0, wanted - offset))
    }

    /// Reads a piece from ``start`` on, or as much of it as the disk delivers.
    ///
    /// A bad sector is looked for by halves, and found once: each try may take the disk seconds.
    private mutating func fill(count: Int, needed: Int) throws(DiskError) {
        if let refused = self.refused, self.start + needed > refused.offset { throw refused.error }
        let count = self.refused.map { min(count, $0.offset - self.start) } ?? count
        do throws(DiskError) {
            self.bytes = try self.file.read(at: self.start, count: count)
            if self.bytes.count < count { self.end = self.limit }
            return
        } catch {
            var (good, bad) = (0, count)
            while bad - good > EngineLimits.sectorByteCount {
                let middle = good + (bad - good) / 2
                if (try? self.file.read(at: self.start + good, count: middle - good)) != nil {
                    good = middle
                } else {
                    bad = middle
                }
            }
            // What is bad begins with a sector, and halves do not end with one.
            let aligned =
                (self.start + good + EngineLimits.sectorByteCount - 1) / EngineLimits.sectorByteCount
                * EngineLimits.sectorByteCount
            let edge = aligned - self.start
            if edge > good, edge < bad, (try? self.file.read(at: self.start + good, count: edge - good)) != nil {
                good = edge
            }
            self.refused = (self.start + good, error)
            guard needed <= good else { throw error }
            self.bytes = try self.file.read(at: self.start, count: good)
        }
    }

    /// Where the last byte that is not zero ends; `offset` when there is none from there on.
    mutating func endOfNonZero(from offset: Int) throws(DiskError) -> Int {
        var result = offset
        var place = offset
        while place < self.end {
            try self.load(at: place, count: 1)
            guard self.limit > place else { break }
            let from = place - self.start
            if let last = self.bytes[from...].lastIndex(where: { $0 != 0 }) { result = self.start + last + 1 }
            place = self.limit
        }
        return result
    }
}
