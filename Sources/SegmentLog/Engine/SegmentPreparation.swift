import DiskIO
import LogModel
import SegmentFormat
import SystemPackage

/// Makes the next segment's file under a temporary name, reserved, mapped or zeroed at its start, and synced; any thread.
package struct SegmentPreparation: Sendable {
    let files: LogFiles
    let name: String
    let byteCount: Int
    /// Whether frames will be staged in it.
    let path: FramePath

    /// - Throws: ``LogError/noSpace`` or ``LogError/storage(_:)``; nothing is left behind.
    /// - Complexity: Reserving `byteCount` bytes, one sync.
    package func perform() throws(LogError) -> PreparedSegment {
        if try self.files.list().contains(self.name) { try self.files.remove(self.name) }
        do throws(DiskError) {
            return try self.make(self.files.path(self.name))
        } catch {
            // What cannot be removed now is removed by the next attempt, or by the next start.
            try? self.files.remove(self.name)
            throw LogError(error)
        }
    }

    private func make(_ path: FilePath) throws(DiskError) -> PreparedSegment {
        let file = try self.files.fileSystem.open(path, .create)
        try file.allocate(byteCount: self.byteCount)
        let placement = ActiveSegment.Placement(file, byteCount: self.byteCount, path: self.path)
        var ready = 0
        if case .mapped(let mapping) = placement {
            ready = min(self.byteCount, EngineLimits.populationByteCount)
            mapping.populate(0..<ready)
        } else {
            ready = min(self.byteCount, EngineLimits.zeroAheadByteCount)
            try file.write([UInt8](repeating: 0, count: ready).span.bytes, at: 0)
        }
        // The first sync of the new segment is not to pay for entering all this in the file system.
        try file.sync()
        return PreparedSegment(
            file: file, placement: placement, name: self.name, byteCount: self.byteCount, ready: ready)
    }
}

/// The next segment, allocated under a temporary name.
package struct PreparedSegment: Sendable {
    let file: any File
    let placement: ActiveSegment.Placement
    let name: String
    let byteCount: Int
    let ready: Int

    /// - Throws: ``LogError``; the file is of no use then.
    func put(_ bytes: RawSpan) throws(LogError) {
        if case .mapped(let mapping) = self.placement, bytes.byteCount <= self.byteCount {
            mapping.store(bytes, at: 0)
        } else {
            try disk { () throws(DiskError) in try self.file.write(bytes, at: 0) }
        }
    }

    func active(as segment: SegmentID, written: Int) -> ActiveSegment {
        ActiveSegment(
            file: self.file, segment: segment, placement: self.placement, written: written,
            allocated: max(self.byteCount, written), ready: max(self.ready, written))
    }
}
