import DiskIO
import LogModel
import SegmentFormat
import SystemPackage

/// Segments of a later release: good bytes that this one cannot read, and so must neither judge nor change.
extension LogFiles {
    /// Refuses a directory with such a segment, before anything in it is judged or changed: whoever goes back to an older
    /// release goes on with the newer one, and all is as it was.
    ///
    /// A power cut may leave the newest segment without its header, and those before it whole: all are looked at, and so is one
    /// with which the log is to begin.
    ///
    /// - Throws: ``LogError/laterFormat(file:version:)`` with the first of them, ``LogError/storage(_:)`` when the directory
    ///   cannot be listed. A segment that cannot be read is for others to judge.
    /// - Complexity: One read of a header for each segment.
    func refuseLaterFormat() throws(LogError) {
        let names = try self.list()
        let beginning = Self.beginning(in: names).map { [$0.beginningFileName] } ?? []
        for name in Self.segments(in: names).map(\.fileName) + beginning {
            guard let version = self.laterVersion(of: self.path(name)) else { continue }
            throw .laterFormat(file: name, version: version)
        }
    }

    /// The version of a segment's format, where this build does not know it; `nil` for everything else.
    func laterVersion(of path: FilePath) -> UInt16? {
        guard let bytes = try? self.fileSystem.open(path, .read).read(at: 0, count: SegmentHeader.byteCount) else {
            return nil
        }
        do throws(FormatError) {
            _ = try SegmentHeader.decode(bytes.span.bytes)
            return nil
        } catch {
            return error.laterVersion
        }
    }
}

extension LogError {
    /// Why a segment cannot be taken whose header is not as it must be.
    init(header defect: FrameDefect, of segment: SegmentID) {
        if let version = defect.laterVersion {
            self = .laterFormat(file: segment.fileName, version: version)
        } else {
            self = .damaged(Damage(segment, 0..<SegmentHeader.byteCount, .fault(FrameFault(defect))))
        }
    }
}
