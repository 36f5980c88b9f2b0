import Logging
import Synchronization

/// Keeps what a logger is told.
package final class MemoryLog: LogHandler {
    package struct Entry: Sendable {
        package var level: Logger.Level
        package var message: String
        package var metadata: [String: String]

        /// Level, message, and what it has under these names.
        package func words(with names: [String] = []) -> String {
            let values = names.compactMap { name in self.metadata[name].map { " \(name)=\($0)" } }
            return "\(self.level) \(self.message)\(values.joined())"
        }
    }

    private let level: Logger.Level
    private let all = Mutex<[Entry]>([])

    /// - Parameter level: What is less grave is not kept.
    package init(level: Logger.Level = .trace) { self.level = level }

    package var messages: [String] { self.all.withLock { $0.map(\.message) } }

    /// All that came since the last call.
    package func take() -> [Entry] {
        self.all.withLock { entries in
            defer { entries = [] }
            return entries
        }
    }

    package func log(event: LogEvent) {
        let metadata = (event.metadata ?? [:]).mapValues { "\($0)" }
        self.all.withLock { $0.append(Entry(level: event.level, message: "\(event.message)", metadata: metadata)) }
    }

    // MARK: What all who hold it share does not change

    package var logLevel: Logger.Level {
        get { self.level }
        set {}
    }

    package var metadata: Logger.Metadata {
        get { [:] }
        set {}
    }

    package subscript(metadataKey _: String) -> Logger.Metadata.Value? {
        get { nil }
        set {}
    }
}
