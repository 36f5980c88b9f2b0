import Logging
import Replicator
import Synchronization
import TestSupport
import Testing

@testable import HoldfastNode

@Suite struct ConfigurationReloadTests {
    private static let flags: [ConfigurationKey: [String]] = [.nodeID: ["1"], .dataDirectory: ["/tmp/x"]]

    @Test func `live keys change, others are refused by name, and a broken file changes nothing`() async throws {
        let scratch = try ConfigurationScratch("log:\n  level: info\nsegment:\n  size: 1MiB\n")
        defer { scratch.end() }
        let log = MemoryLog()
        func told() -> [String] { log.take().map { $0.words(with: ["from", "to"]) } }
        let level = SharedLogLevel(.info)
        let logger = Logger(label: "test") { _ in SharedLevelHandler(log, level: level) }
        let node = Tuned()
        let input = ConfigurationInput(file: scratch.path, flags: Self.flags)
        var reload = await ConfigurationReload(
            input, running: ConfigurationReport(input).values, level: level,
            notifier: ServiceNotifier(environment: [:]), logger: logger)

        reload.hungUp(node)
        #expect(told() == ["notice configuration read again: nothing has changed"])

        try scratch.write(
            "log:\n  level: error\nsegment:\n  size: 2MiB\nscrub:\n  rate: 1MiB\nreplication:\n  compression: never\n")
        reload.hungUp(node)
        #expect(
            told() == [
                "warning segment.size not changed: that needs a restart of the node from=1MiB to=2MiB",
                "notice scrub.rate changed from=8MiB to=1MiB",
                "notice replication.compression changed from=auto to=never",
                "notice log.level changed from=info to=error",
            ])
        #expect(level.value == .error)
        #expect(node.last == ReplicatorTuning(compression: .never, scrubBytesPerSecond: 1 << 20))

        try scratch.write("log:\n  level: debug\nsrcub:\n  rate: 0\n")
        reload.hungUp(node)
        let path = try #require(scratch.path)
        #expect(
            told() == [
                "error configuration not taken: \(path):4: unknown key srcub.rate; did you mean scrub.rate?"
            ])
        #expect(level.value == .error && node.count == 2)

        // What waits for a restart is told again, and what is live goes back to its default.
        try scratch.write("segment.size: 2MiB\n")
        reload.hungUp(node)
        #expect(
            told() == [
                "warning segment.size not changed: that needs a restart of the node from=1MiB to=2MiB",
                "notice scrub.rate changed from=1MiB to=8MiB",
                "notice replication.compression changed from=never to=auto",
                "notice log.level changed from=error to=info",
            ])
    }

    @Test func `a key without a default that comes or goes is told of like any other`() async throws {
        let scratch = try ConfigurationScratch("")
        defer { scratch.end() }
        let path = try #require(scratch.path)
        func changes(from before: String, to after: String) throws -> [ConfigurationChange] {
            try scratch.write(before)
            let report = ConfigurationReport(ConfigurationInput(file: path, flags: Self.flags))
            try #require(report.configuration != nil, "\(report.problems)")
            let running = Dictionary(uniqueKeysWithValues: report.values.map { ($0.key, $0.text) })
            try scratch.write(after)
            let again = ConfigurationReport(ConfigurationInput(file: path, flags: Self.flags))
            try #require(again.configuration != nil, "\(again.problems)")
            return ConfigurationChange.all(from: running, to: again)
        }
        let secured = "tls:\n  certificate: c\n  key: k\n  ca: a\nauth:\n  tokens: t\ntrace:\n  output: o\n"
        let keys: [(ConfigurationKey, String)] = [
            (.tlsCertificate, "c"), (.tlsKey, "k"), (.tlsAuthority, "a"), (.tokens, "t"), (.traceOutput, "o"),
        ]
        let come = try changes(from: "", to: secured)
        #expect(come.map(\.key) == keys.map(\.0))
        #expect(come.map(\.from) == keys.map { _ in "none" } && come.map(\.to) == keys.map(\.1))
        #expect(come.map(\.origin) == [2, 3, 4, 6, 8].map { .file(path, line: $0) })
        let gone = try changes(from: secured, to: "")
        #expect(gone.map(\.key) == keys.map(\.0))
        #expect(gone.map(\.from) == keys.map(\.1) && gone.map(\.to) == keys.map { _ in "none" })
        #expect(gone.allSatisfy { $0.origin == .fallback && !$0.isLive })
    }

    @Test func `what a flag says does not change with the file, and other words for the same are no change`()
        async throws
    {
        let scratch = try ConfigurationScratch("segment:\n  size: 1MiB\n")
        defer { scratch.end() }
        let flags = Self.flags.merging([.logLevel: ["warning"], .scrubRate: ["1MiB"]]) { $1 }
        let report = ConfigurationReport(ConfigurationInput(file: scratch.path, flags: flags))
        let running = Dictionary(uniqueKeysWithValues: report.values.map { ($0.key, $0.text) })
        try scratch.write("segment.size: 1024KiB\nlog.level: debug\nscrub.rate: 0\nelection.heartbeat: 0050ms\n")
        let again = ConfigurationReport(ConfigurationInput(file: scratch.path, flags: flags))
        #expect(again.configuration != nil)
        #expect(ConfigurationChange.all(from: running, to: again).isEmpty)
    }
}

/// Remembers what it was told.
private final class Tuned: Tunable {
    private let all = Mutex<[ReplicatorTuning]>([])
    var last: ReplicatorTuning? { self.all.withLock { $0.last } }
    var count: Int { self.all.withLock { $0.count } }
    func tune(_ tuning: ReplicatorTuning) { self.all.withLock { $0.append(tuning) } }
}
