import Glibc
import SystemPackage

/// A shared mapping, unmapped with the last reference.
///
/// `@unchecked Sendable`: the address never changes, and who stores where is for the owner to order.
final class LinuxMapping: Mapping, @unchecked Sendable {
    private let memory: UnsafeMutableRawBufferPointer
    private let file: LinuxFile

    init(_ memory: UnsafeMutableRawBufferPointer, of file: LinuxFile) {
        self.memory = memory
        self.file = file
    }

    var byteCount: Int { self.memory.count }

    deinit { munmap(self.memory.baseAddress, self.memory.count) }

    func load() -> [UInt8] { Array(self.memory) }

    func store(_ bytes: RawSpan, at offset: Int) {
        precondition(offset >= 0 && offset <= self.memory.count - bytes.byteCount, "store outside the mapping")
        bytes.withUnsafeBytes { source in
            guard let target = self.memory.baseAddress, let origin = source.baseAddress else { return }
            memcpy(target + offset, origin, source.count)
        }
    }

    /// By `MADV_POPULATE_WRITE` (Linux 5.14), which faults pages in without touching what they hold.
    func populate(_ range: Range<Int>) {
        let page = Int(getpagesize())
        let start = max(0, range.lowerBound) / page * page
        let end = min(range.upperBound, self.memory.count)
        guard start < end, let base = self.memory.baseAddress else { return }
        _ = madvise(base + start, end - start, Self.populateForWriting)
    }

    private static let populateForWriting: Int32 = 23

    func sync() throws(DiskError) {
        guard msync(self.memory.baseAddress, self.memory.count, MS_SYNC) == 0 else {
            throw DiskError(Errno(rawValue: errno), .syncMapping, self.file.path)
        }
    }
}
