import Logging
import Synchronization

/// Remembers warnings.
final class WarningLog: LogHandler {
    private let all = Mutex<[String]>([])
    var lines: [String] { self.all.withLock { $0 } }
    var logLevel: Logger.Level {
        get { .warning }
        set {}
    }
    var metadata: Logger.Metadata {
        get { [:] }
        set {}
    }
    subscript(metadataKey _: String) -> Logger.Metadata.Value? {
        get { nil }
        set {}
    }
    func log(event: LogEvent) { self.all.withLock { $0.append("\(event.message)") } }
}
