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
    /// - Returns: What was read, by segment, for whoever judges it: of segments alone, and none that cannot be read.
    /// - Throws: ``LogError/laterFormat(file:version:)`` with the first of them, ``LogError/storage(_:)`` when the directory
    ///   cannot be listed. A segment that cannot be read is for others to judge.
    /// - Complexity: One read of a header for each segment.
    @discardableResult
    func refuseLaterFormat() throws(LogError) -> [SegmentID: HeaderReading] {
        let names = try self.list()
        var readings: [SegmentID: HeaderReading] = [:]
        for segment in Self.segments(in: names) {
            guard let reading = self.headerReading(of: self.path(of: segment)) else { continue }
            if let later = reading.laterFormat(in: segment.fileName) { throw later }
            readings[segment] = reading
        }
        if let name = Self.beginning(in: names)?.beginningFileName,
            let later = self.headerReading(of: self.path(name))?.laterFormat(in: name)
        {
            throw later
        }
        return readings
    }

    /// The version of a segment's format, where this build does not know it; `nil` for everything else.
    func laterVersion(of path: FilePath) -> UInt16? { self.headerReading(of: path)?.defect?.laterVersion }

    private func headerReading(of path: FilePath) -> HeaderReading? {
        try? HeaderReading(self.fileSystem.open(path, .read))
    }
}

extension HeaderReading {
    fileprivate var defect: FrameDefect? {
        if case .failure(let error) = self.header { .format(error) } else { nil }
    }

    fileprivate func laterFormat(in file: String) -> LogError? {
        self.defect.flatMap { LogError(laterFormat: $0, in: file) }
    }
}

/// Whoever meets a header, or a frame, of a later release refuses it by the same name, whatever else a defect is to it.
extension LogError {
    /// `nil` for a defect that is none of a later release.
    init?(laterFormat defect: FrameDefect, in file: String) {
        guard let version = defect.laterVersion else { return nil }
        self = .laterFormat(file: file, version: version)
    }

    /// Why a segment of a log cannot be taken whose header is not as it must be.
    init(header defect: FrameDefect, of segment: SegmentID) {
        self =
            LogError(laterFormat: defect, in: segment.fileName)
            ?? .damaged(Damage(segment, 0..<SegmentHeader.byteCount, .fault(FrameFault(defect))))
    }

    /// Why a copy of a segment cannot be taken whose header is not as it must be.
    init(headerOfCopy error: FormatError, of segment: SegmentID) {
        let defect = FrameDefect.format(error)
        self =
            LogError(laterFormat: defect, in: segment.fileName)
            ?? .rejected(FrameFault(defect), at: Position(segment: segment, offset: 0))
    }
}
