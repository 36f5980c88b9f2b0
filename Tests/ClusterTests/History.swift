import HoldfastClient
import LogModel
import Synchronization

/// Writes down what the clients of a cluster are told, while they are told.
///
/// Append `s` of producer `p` is one atomic batch of the values `p-s-1`, `p-s-2`, ...; no value is used twice.
final class History: Sendable {
    typealias Instant = LogHistory.Instant

    private struct State {
        var log = LogHistory()
        var acknowledgedCount = 0
        var lastIndex: UInt64 = 0
        var acknowledgements: [Instant] = []
        var refusals: [String] = []
        var isStopped = false
    }

    private let state = Mutex(State())

    var acknowledgedCount: Int { self.state.withLock { $0.acknowledgedCount } }
    /// Of batches that were refused, or of which nobody knows.
    var failureCount: Int {
        self.state.withLock { $0.log.appends.count { if case .acknowledged = $0.fate { false } else { true } } }
    }
    /// What nodes said to attempts that were made again, in words.
    var refusals: [String] { self.state.withLock { $0.refusals } }
    /// The highest acknowledged index.
    var lastIndex: UInt64 { self.state.withLock { $0.lastIndex } }
    var readCount: Int { self.state.withLock { $0.log.reads.count } }
    var isStopped: Bool { self.state.withLock { $0.isStopped } }
    func stop() { self.state.withLock { $0.isStopped = true } }

    static func values(_ producer: Int, _ sequence: Int) -> [String] {
        (0...sequence % 3).map { "\(producer)-\(sequence)-\($0 + 1)" }
    }

    /// A producer learns the fate of a batch, now.
    ///
    /// - Parameter began: When it was first sent.
    func told(_ values: [String], _ fate: LogHistory.Fate, since began: Instant) {
        let now = ContinuousClock.now
        self.state.withLock { state in
            state.log.appends.append(LogHistory.Append(values: values, fate: fate, began: began, ended: now))
            guard case .acknowledged(let first) = fate else { return }
            state.acknowledgedCount += 1
            state.acknowledgements.append(now)
            state.lastIndex = max(state.lastIndex, first + UInt64(values.count) - 1)
        }
    }

    /// A producer makes an attempt again.
    ///
    /// - Parameter reason: Of a refusal it begins, behind the server, with the code of the node's answer: `NOT_LEADER: ...`.
    ///   A connection that ends, as it does when a node stops, is no answer.
    func retried(_ reason: String) {
        guard reason.contains(/: [A-Z][A-Z_]+:/) else { return }
        self.state.withLock { $0.refusals.append(reason) }
    }

    /// A reader gets a page, now.
    func saw(
        _ page: RecordPage, of node: String, _ consistency: HoldfastClient.Consistency, since began: Instant
    ) {
        let read = LogHistory.Read(
            node: node, isLinearizable: consistency == .linearizable,
            first: page.records.first?.index.rawValue ?? page.next.rawValue, values: page.records.map(\.text),
            length: page.lastIndex.rawValue, began: began, ended: .now)
        self.state.withLock { $0.log.reads.append(read) }
    }

    /// Waits for further acknowledgements: the cluster works.
    func untilAcknowledged(_ count: Int, within seconds: Double = 20) async throws {
        let before = self.acknowledgedCount
        try await eventually(
            "\(count) acknowledgements", within: seconds, state: { "\(self.acknowledgedCount - before) came" }
        ) { self.acknowledgedCount >= before + count }
    }

    /// Waits for further answers to readers.
    func untilRead(_ count: Int, within seconds: Double = 20) async throws {
        let before = self.readCount
        try await eventually(
            "\(count) reads", within: seconds, state: { "\(self.readCount - before) came" }
        ) { self.readCount >= before + count }
    }

    /// The longest time without any acknowledgement, from the last one before an instant on.
    func longestGap(since start: Instant) -> Duration {
        let all = self.state.withLock { $0.acknowledgements }
        let times = all[(all.lastIndex { $0 <= start } ?? all.startIndex)...]
        return zip(times, times.dropFirst()).map { $0.duration(to: $1) }.max() ?? .zero
    }

    /// Holds a whole log against all of it.
    func findings(
        in log: [String], others: Set<String> = [], isForeign: (String) -> Bool = { _ in false }
    ) -> [String] {
        self.state.withLock { $0.log }.findings(in: log, others: others, isForeign: isForeign)
    }
}
