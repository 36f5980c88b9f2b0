import LogModel
import Logging
import NIOCore
import Replicator

/// What swift-log hands a node's entries to. Its level is that of ``SharedLevelHandler``, around it.
struct JournalHandler: LogHandler {
    private let journal: Journal
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?
    var logLevel = Logger.Level.trace

    init(_ journal: Journal) { self.journal = journal }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { self.metadata[key] }
        set { self.metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var metadata = self.metadata
        if let provided = self.metadataProvider?.get() { metadata.merge(provided) { $1 } }
        if let own = event.metadata { metadata.merge(own) { $1 } }
        let entry = JournalEntry(
            time: WallClock.now(), level: event.level, message: "\(event.message)", metadata: metadata,
            error: event.error)
        self.journal.write(
            entry, isLimited: event.level >= .info,
            now: MonotonicTime(nanoseconds: NIODeadline.now().uptimeNanoseconds))
    }
}
