import Logging
import TestSupport
import Testing

@testable import HoldfastAdmin

@Suite struct QuietHandlerTests {
    /// A level that all copies share, as a node's loggers do.
    private final class Level: @unchecked Sendable {
        var value = Logger.Level.debug
    }

    private struct Shared: LogHandler {
        let level: Level
        var metadata: Logger.Metadata = [:]
        var logLevel: Logger.Level {
            get { self.level.value }
            set { self.level.value = newValue }
        }
        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { self.metadata[key] }
            set { self.metadata[key] = newValue }
        }
        func log(event: LogEvent) {}
    }

    @Test func `It is quieter than the node's handler, whose level it leaves alone`() {
        let level = Level()
        var quiet = QuietHandler(Shared(level: level))
        #expect(quiet.logLevel == .warning)
        quiet.logLevel = .error
        #expect(quiet.logLevel == .error)
        #expect(level.value == .debug)
        level.value = .critical
        #expect(quiet.logLevel == .critical, "never louder than the node")
    }

    @Test func `What a library warns of is passed on with a hint, its own if it has one`() {
        let log = MemoryLog()
        let logger = Logger(label: "test") { _ in QuietHandler(log) }
        logger.info("not the node's news")
        logger.error("Server channel error", metadata: ["error": "too many open files"])
        logger.warning("slow", metadata: ["hint": "wait"])
        let entries = log.take()
        #expect(
            entries.map { $0.words(with: ["error"]) } == [
                "error Server channel error error=too many open files", "warning slow",
            ])
        #expect(entries.first?.metadata["hint"]?.contains("admin listener") == true)
        #expect(entries.last?.metadata["hint"] == "wait")
    }
}
