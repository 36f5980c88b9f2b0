import DiskIO
import LogModel
import LogState
import SegmentFormat

/// A copy of a segment with which a log is to begin, beside what is there: a node that is too far behind, or has nothing
/// yet, takes a peer's first segment for it.
///
///     000007.wal.first.tmp --write--> all bytes --verified--> checked, synced
///         --``begin()``--> 000007.wal.first            the decision: one rename, durable on return
///         --the next opening--> 000007.wal             all segments that were there before are gone
///
/// A crash before the decision leaves the old log, and the next opening removes the copy; a crash after it leaves what
/// the next opening carries out, see ``LogFiles/carryOutBeginning(_:_:)``. What the node voted is not touched.
///
/// One thread at a time, any.
package struct FirstSegmentCopy: Sendable {
    package let segment: SegmentID
    /// Bytes so far.
    package private(set) var byteCount = 0
    private let cluster: ClusterID
    private let files: LogFiles
    private let file: any File

    /// Begins a copy; an unfinished one of the same segment goes.
    ///
    /// - Throws: ``LogError/noSpace``, ``LogError/storage(_:)``.
    init(of segment: SegmentID, cluster: ClusterID, in files: LogFiles) throws(LogError) {
        self.segment = segment
        self.cluster = cluster
        self.files = files
        try files.removeIfThere(segment.beginningCopyName)
        self.file = try files.open(segment.beginningCopyName, .create)
    }

    /// Adds bytes of the peer's file.
    ///
    /// - Throws: ``LogError/noSpace``, ``LogError/storage(_:)``: give it up with ``cancel()``.
    package mutating func write(_ bytes: Bytes) throws(LogError) {
        let offset = self.byteCount
        try disk { () throws(DiskError) in try self.file.write(bytes.span.bytes, at: offset) }
        self.byteCount += bytes.count
    }

    package func cancel() { self.files.cancelBeginning(self.segment) }

    /// Checks the whole copy and makes it durable: the header and its cluster, each frame's checksums, place and chain,
    /// and the log's own state from the checkpoint on.
    ///
    /// - Throws: ``LogError/rejected(_:at:)`` with the first misfit, ``LogError/unsupportedCheckpoint(_:)`` when the state
    ///   does not follow from the frames, ``LogError/foreignDirectory(_:)``, ``LogError/laterFormat(file:version:)``,
    ///   ``LogError/noSpace``, ``LogError/storage(_:)``.
    /// - Complexity: Reads the copy; one sync.
    package func verified() throws(LogError) -> VerifiedFirstSegment {
        let chain = try self.files.beginning(self.file, of: self.segment, cluster: self.cluster)
        try disk { () throws(DiskError) in try self.file.sync() }
        return VerifiedFirstSegment(segment: self.segment, end: chain.point, files: self.files)
    }
}

/// A copy that was found to be whole, and is synced.
package struct VerifiedFirstSegment: Sendable {
    package let segment: SegmentID
    /// Where the log will end.
    package let end: LogPoint
    fileprivate let files: LogFiles

    package func cancel() { self.files.cancelBeginning(self.segment) }

    /// Decides that the log begins with this copy. The log that is there must not be written to any more.
    ///
    /// - Throws: ``LogError/storage(_:)``: it is decided or not, the next opening tells.
    fileprivate func begin() throws(LogError) {
        try self.files.rename(self.segment.beginningCopyName, to: self.segment.beginningFileName)
        try self.files.syncDirectory()
    }
}

extension LogStore {
    /// A copy to begin with instead of this log.
    package func firstSegmentCopy(of segment: SegmentID) throws(LogError) -> FirstSegmentCopy {
        try FirstSegmentCopy(of: segment, cluster: self.cluster, in: self.files)
    }
}

extension LogWriter {
    /// Gives this log up for the copy: open the directory again. The log is closed to writers, whatever is thrown.
    package func giveUp(for copy: VerifiedFirstSegment) throws(LogError) {
        try self.checkOpen()
        defer {
            self.condition = .closed
            self.lock.release()
        }
        try copy.begin()
    }
}

extension OpenedLog {
    /// A copy for a directory without a log to begin with.
    package func firstSegmentCopy(of segment: SegmentID, cluster: ClusterID) throws(LogError) -> FirstSegmentCopy {
        if let expected = self.configuration.cluster, expected != cluster {
            throw .foreignDirectory(.cluster(found: cluster, expected: expected))
        }
        return try FirstSegmentCopy(of: segment, cluster: cluster, in: self.files)
    }

    /// Begins with the copy: open the directory again.
    package consuming func begin(with copy: VerifiedFirstSegment) throws(LogError) {
        precondition(self.writer == nil, "there is a log, and its writer gives it up")
        defer { self.lock.release() }
        try copy.begin()
    }
}
