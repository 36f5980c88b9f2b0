import DiskIO
import LogModel
import SegmentFormat
import SystemPackage

/// Copies, checksums and moves, each of which may be repeated after a crash.
struct RepairFiles {
    private static let partByteCount = 1 << 20

    let files: LogFiles

    func exists(_ name: String) throws(LogError) -> Bool { try self.files.list().contains(name) }

    func byteCount(_ path: FilePath) throws(LogError) -> Int {
        try disk { () throws(DiskError) in try self.files.fileSystem.open(path, .read).byteCount() }
    }

    /// CRC-32C of a range; `nil` when there is no such file, it is shorter, or the disk does not deliver all of it.
    func checksum(_ path: FilePath, _ range: Range<Int>) throws(LogError) -> UInt32? {
        do throws(DiskError) {
            let file = try self.files.fileSystem.open(path, .read)
            guard try file.byteCount() >= range.upperBound else { return nil }
            var checksum: UInt32 = 0
            var offset = range.lowerBound
            while offset < range.upperBound {
                let part = try file.read(at: offset, count: min(Self.partByteCount, range.upperBound - offset))
                guard !part.isEmpty else { return nil }
                checksum = CRC32C.checksum(part.span.bytes, extending: checksum)
                offset += part.count
            }
            return checksum
        } catch {
            if error.isNotFound || error.errno == .ioError { return nil }
            throw LogError(error)
        }
    }

    /// Of a whole file.
    func checksum(_ path: FilePath, byteCount: Int) throws(LogError) -> UInt32? {
        guard try self.fits(path, byteCount) else { return nil }
        return try self.checksum(path, 0..<byteCount)
    }

    /// Whether a file is what it should be, from its first byte to its last.
    func holds(_ name: String, byteCount: Int, checksum: UInt32) throws(RepairError) -> Bool {
        try Self.log { () throws(LogError) in
            try self.checksum(self.files.path(name), byteCount: byteCount) == checksum
        }
    }

    private func fits(_ path: FilePath, _ byteCount: Int) throws(LogError) -> Bool {
        do throws(DiskError) {
            return try self.files.fileSystem.open(path, .read).byteCount() == byteCount
        } catch {
            if error.isNotFound { return false }
            throw LogError(error)
        }
    }

    /// Makes a file of a part of another, synced, under a temporary name that the next start would remove.
    func copy(_ source: FilePath, _ range: Range<Int>, toTemporary name: String) throws(LogError) {
        if try self.exists(name) { try self.files.remove(name) }
        let target = try self.files.open(name, .create)
        try disk { () throws(DiskError) in
            let file = try self.files.fileSystem.open(source, .read)
            var offset = range.lowerBound
            while offset < range.upperBound {
                let part = try file.read(at: offset, count: min(Self.partByteCount, range.upperBound - offset))
                guard !part.isEmpty else { break }
                try target.write(part.span.bytes, at: offset - range.lowerBound)
                offset += part.count
            }
            try target.sync()
        }
    }

    /// Sets a piece aside and cuts it off. Done already: nothing happens.
    ///
    /// A piece that the disk does not deliver cannot be copied: then the whole file is set aside, and what stands before
    /// the piece is copied from it.
    func cutOff(_ piece: RepairPlan.Piece) throws(RepairError) {
        guard let checksum = piece.checksum else { return try self.replaceByBeginning(piece) }
        let byteCount = try Self.log { () throws(LogError) in try self.byteCount(self.files.path(piece.name)) }
        guard byteCount > piece.offset else { return }
        let source = self.files.path(piece.name)
        let range = piece.offset..<piece.offset + piece.byteCount
        guard try Self.log({ () throws(LogError) in try self.checksum(source, range) }) == checksum else {
            throw .stale
        }
        try self.keep(source, range, as: piece.keptAs, checksum: checksum)
        try Self.log { () throws(LogError) in
            let file = try self.files.open(piece.name, .write)
            try disk { () throws(DiskError) in
                try file.truncate(to: piece.offset)
                try file.sync()
            }
        }
    }

    private func replaceByBeginning(_ piece: RepairPlan.Piece) throws(RepairError) {
        let (name, kept) = (self.files.path(piece.name), self.files.path(piece.keptAs))
        if try !Self.log({ () throws(LogError) in try self.exists(piece.keptAs) }) {
            try self.move(piece.name, to: piece.keptAs)
        }
        try Self.log { () throws(LogError) in
            if try self.exists(piece.name), try self.byteCount(name) == piece.offset { return }
            try self.copy(kept, 0..<piece.offset, toTemporary: piece.name + ".repair.tmp")
            try self.files.rename(piece.name + ".repair.tmp", to: piece.name)
            try self.files.syncDirectory()
        }
    }

    /// Copies a range to a file of its own, unless that is there already.
    func keep(_ source: FilePath, _ range: Range<Int>, as name: String, checksum: UInt32) throws(RepairError) {
        if try Self.log({ () throws(LogError) in try self.exists(name) }) {
            guard try self.holds(name, byteCount: range.count, checksum: checksum) else { throw .inTheWay(name) }
            return
        }
        try Self.log { () throws(LogError) in
            try self.copy(source, range, toTemporary: name + ".tmp")
            try self.files.rename(name + ".tmp", to: name)
            try self.files.syncDirectory()
        }
    }

    /// Gives a file another name. Done already: nothing happens.
    func move(_ name: String, to target: String) throws(RepairError) {
        guard try Self.log({ () throws(LogError) in try self.exists(name) }) else { return }
        guard try !Self.log({ () throws(LogError) in try self.exists(target) }) else { throw .inTheWay(target) }
        try Self.log { () throws(LogError) in try self.files.rename(name, to: target) }
    }

    static func log<Result>(_ body: () throws(LogError) -> Result) throws(RepairError) -> Result {
        do throws(LogError) {
            return try body()
        } catch {
            throw .log(error)
        }
    }
}
