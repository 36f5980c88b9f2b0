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
        let piece = max(0, min(max(count, Self.byteCount), self.end - offset))
        do throws(DiskError) {
            self.bytes = try self.file.read(at: offset, count: piece)
        } catch {
            guard piece > max(0, wanted - offset) else { throw error }
            // Perhaps it is what stands behind.
            self.bytes = try self.file.read(at: offset, count: max(0, wanted - offset))
            return
        }
        if self.bytes.count < piece { self.end = self.limit }
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
