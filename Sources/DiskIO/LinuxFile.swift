import CLinux
import Glibc
import SystemPackage

/// An open descriptor, closed with the last reference.
package final class LinuxFile: File {
    package let descriptor: FileDescriptor
    package let path: FilePath

    init(_ descriptor: FileDescriptor, path: FilePath) {
        self.descriptor = descriptor
        self.path = path
    }

    deinit {
        // Nothing depends on the result: what had to be durable was synced before.
        _ = Glibc.close(self.descriptor.rawValue)
    }

    package func read(at offset: Int, count: Int) throws(DiskError) -> [UInt8] {
        var bytes: [UInt8] = []
        try self.read(at: offset, count: count, into: &bytes)
        return bytes
    }

    package func read(at offset: Int, count: Int, into bytes: inout [UInt8]) throws(DiskError) {
        var failure: DiskError?
        bytes.removeAll(keepingCapacity: true)
        // The buffer goes to pread uninitialised: zeroing it first would double the cost of a scan.
        bytes.append(addingCapacity: count) { out in
            out.withUnsafeMutableBufferPointer { buffer, filled in
                while filled < count {
                    let free = UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[filled...])
                    let got = pread(self.descriptor.rawValue, free.baseAddress, free.count, off_t(offset + filled))
                    if got == 0 { return }
                    if got > 0 {
                        filled += got
                    } else if errno != EINTR {
                        failure = self.error(.read)
                        return
                    }
                }
            }
        }
        if let failure { throw failure }
    }

    /// At most, by one system call. The page cache takes the pages of one call in blocks as large as it can find, and those are
    /// rarely memory that was used of late: 8 MiB by one call took 7 to 20 ms on a virtual machine, in pieces 1.2.
    private static let writtenByteCount = 1 << 20

    package func write(_ bytes: RawSpan, at offset: Int) throws(DiskError) {
        var failure: DiskError?
        bytes.withUnsafeBytes { buffer in
            var written = 0
            while written < buffer.count {
                let rest = UnsafeRawBufferPointer(rebasing: buffer[written...].prefix(Self.writtenByteCount))
                let put = pwrite(self.descriptor.rawValue, rest.baseAddress, rest.count, off_t(offset + written))
                if put > 0 {
                    written += put
                } else if put == 0 || errno != EINTR {
                    failure = put == 0 ? DiskError(.noSpace, .write, self.path) : self.error(.write)
                    return
                }
            }
        }
        if let failure { throw failure }
    }

    package func sync() throws(DiskError) {
        guard fdatasync(self.descriptor.rawValue) == 0 else { throw self.error(.sync) }
    }

    package func truncate(to byteCount: Int) throws(DiskError) {
        while ftruncate(self.descriptor.rawValue, off_t(byteCount)) != 0 {
            guard errno == EINTR else { throw self.error(.truncate) }
        }
    }

    package func allocate(byteCount: Int) throws(DiskError) {
        // Returns its error instead of setting errno. glibc writes the file out where the file system cannot reserve.
        while true {
            let result = posix_fallocate(self.descriptor.rawValue, 0, off_t(byteCount))
            if result == 0 { return }
            if result != EINTR { throw DiskError(Errno(rawValue: result), .allocate, self.path) }
        }
    }

    package func byteCount() throws(DiskError) -> Int {
        var status = stat()
        guard fstat(self.descriptor.rawValue, &status) == 0 else { throw self.error(.status) }
        return Int(status.st_size)
    }

    package func map(byteCount: Int) throws(DiskError) -> any Mapping {
        let address = mmap(nil, byteCount, PROT_READ | PROT_WRITE, MAP_SHARED, self.descriptor.rawValue, 0)
        guard let address, address != MAP_FAILED else { throw self.error(.map) }
        return LinuxMapping(UnsafeMutableRawBufferPointer(start: address, count: byteCount), of: self)
    }

    package var keepsReservations: Bool {
        var status = statfs()
        guard fstatfs(self.descriptor.rawValue, &status) == 0 else { return false }
        return Self.reservingFileSystems.contains(UInt32(truncatingIfNeeded: status.f_type))
    }

    /// ext2 to ext4, XFS and tmpfs (statfs(2)): blocks that were allocated stay with the file and are written in place.
    private static let reservingFileSystems: Set<UInt32> = [0xEF53, 0x5846_5342, 0x0102_1994]

    private func error(_ operation: DiskOperation) -> DiskError {
        DiskError(Errno(rawValue: errno), operation, self.path)
    }
}
