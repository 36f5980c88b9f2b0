import LogModel

/// Removes the files of segments that readers do not see any more.
package struct TrimJob: Sendable {
    package enum Outcome: Hashable, Sendable {
        case done
        /// The log begins at its new first segment all the same; these files go at the next start.
        case filesLeft(LogError)
        /// The log has to be closed to writers: ``LogWriter/syncFailed()``.
        case syncFailed(LogError)
    }

    let files: LogFiles
    let durableFile: DurableFile
    /// Where the log begins now.
    package let first: SegmentID
    package let segments: [SegmentSummary]

    package var byteCount: Int { self.segments.reduce(0) { $0 + $1.byteCount } }

    /// Notes the trim in DURABLE first, so that the next start finishes what a crash interrupts.
    package func perform() -> Outcome {
        do throws(LogError) {
            try self.durableFile.reset { $0.first = self.first }
        } catch {
            return .syncFailed(error)
        }
        for segment in self.segments { self.files.removeIndexFile(of: segment.id) }
        do throws(LogError) {
            for segment in self.segments { try self.files.removeIfThere(segment.id.fileName) }
        } catch {
            return .filesLeft(error)
        }
        // Only now is the space free on every file system.
        do throws(LogError) {
            try self.files.syncDirectory()
        } catch {
            return .syncFailed(error)
        }
        return .done
    }
}
