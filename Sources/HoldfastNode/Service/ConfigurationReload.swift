import Logging
import NIOCore
import Replicator
import UnixSignals

/// What runs and may be told otherwise.
protocol Tunable: Sendable {
    func tune(_ tuning: ReplicatorTuning)
}

extension Replicator: Tunable {}

/// Reads the configuration again whenever SIGHUP comes, and has the running node take over what it may.
///
///     SIGHUP --> report --> problems: nothing is taken
///                   '-----> changes: live keys at once, others wait for a restart
///
/// What it found, from what to what, stands in the log.
struct ConfigurationReload: Sendable {
    private let input: ConfigurationInput
    private let level: SharedLogLevel
    private let notifier: ServiceNotifier
    private let logger: Logger
    private let signals: UnixSignalsSequence
    /// By what the node runs.
    private var running: [ConfigurationKey: String]

    /// From now on SIGHUP does not end the process any more.
    ///
    /// - Parameter running: What `input` said when the node was started.
    init(
        _ input: ConfigurationInput, running: [ConfigurationReport.Effective], level: SharedLogLevel,
        notifier: ServiceNotifier, logger: Logger
    ) async {
        self.input = input
        self.level = level
        self.notifier = notifier
        self.logger = logger
        self.signals = await UnixSignalsSequence(trapping: .sighup)
        self.running = Dictionary(uniqueKeysWithValues: running.map { ($0.key, $0.text) })
    }

    /// Until it is cancelled.
    ///
    /// - Parameter also: What else a SIGHUP has read again.
    func run(on node: some Tunable, also: @Sendable () -> Void) async {
        var reload = self
        for await _ in self.signals {
            self.notifier.tell(.reloading(monotonicMicroseconds: NIODeadline.now().uptimeNanoseconds / 1_000))
            reload.hungUp(node)
            also()
            self.notifier.tell(.ready)
        }
    }

    mutating func hungUp(_ node: some Tunable) {
        let report = ConfigurationReport(self.input)
        guard let configuration = report.configuration else {
            for problem in report.problems {
                self.logger.error(
                    "configuration not taken: \(problem)",
                    metadata: ["hint": "mend it (holdfast config check), then send SIGHUP again: nothing has changed"])
            }
            return
        }
        let changes = ConfigurationChange.all(from: self.running, to: report)
        if changes.isEmpty { self.logger.notice("configuration read again: nothing has changed") }
        // The more talkative of both levels tells of the change.
        let isQuieter = configuration.logLevel > self.level.value
        if !isQuieter { self.level.value = configuration.logLevel }
        for change in changes { self.tell(change) }
        self.level.value = configuration.logLevel
        node.tune(
            ReplicatorTuning(
                compression: configuration.compression, scrubBytesPerSecond: configuration.scrubBytesPerSecond))
        for change in changes where change.isLive { self.running[change.key] = change.to }
    }

    private func tell(_ change: ConfigurationChange) {
        let metadata: Logger.Metadata = [
            "from": "\(change.from)", "to": "\(change.to)", "source": "\(change.origin)",
        ]
        if change.isLive {
            self.logger.notice("\(change.key.rawValue) changed", metadata: metadata)
        } else {
            self.logger.warning(
                "\(change.key.rawValue) not changed: that needs a restart of the node",
                metadata: metadata.merging(["hint": "restart it when it suits, one node after the other"]) { $1 })
        }
    }
}
