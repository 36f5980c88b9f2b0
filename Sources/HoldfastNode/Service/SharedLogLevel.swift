import Logging
import Synchronization

/// The level of all of a node's loggers, which are values that many hold: it may change while they are in use.
final class SharedLogLevel: Sendable {
    private let level: Mutex<Logger.Level>

    init(_ level: Logger.Level) { self.level = Mutex(level) }

    var value: Logger.Level {
        get { self.level.withLock { $0 } }
        set { self.level.withLock { $0 = newValue } }
    }
}

/// Another handler, at a shared level. To set the level of one logger sets that of all.
struct SharedLevelHandler: LogHandler {
    private var base: any LogHandler
    private let level: SharedLogLevel

    init(_ base: any LogHandler, level: SharedLogLevel) {
        self.base = base
        self.level = level
    }

    var logLevel: Logger.Level {
        get { self.level.value }
        set { self.level.value = newValue }
    }

    var metadata: Logger.Metadata {
        get { self.base.metadata }
        set { self.base.metadata = newValue }
    }

    var metadataProvider: Logger.MetadataProvider? {
        get { self.base.metadataProvider }
        set { self.base.metadataProvider = newValue }
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { self.base[metadataKey: key] }
        set { self.base[metadataKey: key] = newValue }
    }

    func log(event: LogEvent) { self.base.log(event: event) }
}
