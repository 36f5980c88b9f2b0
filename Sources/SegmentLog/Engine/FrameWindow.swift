import DiskIO
import LogModel
import SegmentFormat

#if canImport(Glibc)
    import Glibc
#endif

/// A window of one segment file that moves forward: at most ``EngineLimits/scanWindowByteCount`` bytes at a time, more
/// only for a frame that is larger.
struct FrameWindow {
    private let file: any File
    /// None ahead once the disk has refused a part of it.
    private var windowByteCount: Int
    /// Bytes at and behind this offset are not looked at.
    let end: Int
    private var bytes: [UInt8] = []
    private var start = 0

    init(_ file: any File, end: Int, windowByteCount: Int = EngineLimits.scanWindowByteCount) {
        self.file = file
        self.end = end
        self.windowByteCount = windowByteCount
    }

    /// At least `count` bytes from `offset`, fewer only before the end.
    mutating func bytes(at offset: Int, count: Int) throws(DiskError) -> ArraySlice<UInt8> {
        let wanted = min(offset + count, self.end)
        if offset < self.start || wanted > self.start + self.bytes.count {
            let length = min(max(count, self.windowByteCount), self.end - offset)
            // One that is too small goes first: two windows are never in memory at a time.
            if length > self.bytes.capacity { self.bytes = [] }
            self.start = offset
            try self.read(count: max(0, length), needed: wanted - offset)
        }
        return self.bytes[(offset - self.start)...]
    }

    /// Where the disk refuses a part of the window, what is in demand may still be there.
    private mutating func read(count: Int, needed: Int) throws(DiskError) {
        do throws(DiskError) {
            try self.file.read(at: self.start, count: count, into: &self.bytes)
        } catch {
            guard StorageFailure(ofUnreadable: error) != nil, needed < count else { throw error }
            self.windowByteCount = 0
            try self.file.read(at: self.start, count: needed, into: &self.bytes)
        }
    }

    /// The end of the last byte that is not zero, from `offset` on; `offset` if there is none.
    mutating func endOfNonZero(from offset: Int) throws(DiskError) -> Int {
        var last = offset
        var position = offset
        while position < self.end {
            let part = try self.bytes(at: position, count: 1)
            guard !part.isEmpty else { break }
            if !Self.isZero(part), let found = part.lastIndex(where: { $0 != 0 }) {
                last = position + (found - part.startIndex) + 1
            }
            position += part.count
        }
        return last
    }

    /// Whether every byte is zero: the first is, and each equals the one before. One call of C instead of a loop, since
    /// most of a preallocated segment is looked at in this way after a crash.
    private static func isZero(_ bytes: ArraySlice<UInt8>) -> Bool {
        bytes.withUnsafeBytes { raw in
            guard let base = raw.baseAddress, raw[0] == 0 else { return raw.isEmpty }
            return memcmp(base, base + 1, raw.count - 1) == 0
        }
    }
}
