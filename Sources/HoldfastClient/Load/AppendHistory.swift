import LogModel
import Synchronization

/// What producers were told about each of their appends, and when.
///
/// Producer `p`'s values are `p-1`, `p-2`, ...: unique, and in the order in which it appended them.
package final class AppendHistory: Sendable {
    package struct Findings: Hashable, Sendable {
        /// Acknowledged and not in the log.
        package var lost = 0
        /// In the log more than once.
        package var duplicated = 0
        /// After a later value of the same producer.
        package var reordered = 0
        /// In the log, and never appended or certainly refused.
        package var foreign = 0
        package var unknown = 0

        package init() {}
    }

    private enum Fate {
        case acknowledged
        case refused
        case unknown
    }

    private struct State {
        var fates: [[Fate]]
        var acknowledgedCount = 0
        /// The last acknowledgement by the leader that is killed next, and the first by a later one.
        var before = ContinuousClock.now
        var after: ContinuousClock.Instant?
        var last = ContinuousClock.now
        /// The term of the leader that was killed last.
        var killedTerm = Term.zero
        var isStopped = false
        var retryCount = 0
    }

    private let state: Mutex<State>

    package init(producers: Int) {
        self.state = Mutex(State(fates: Array(repeating: [], count: producers)))
    }

    package var acknowledgedCount: Int { self.state.withLock { $0.acknowledgedCount } }
    /// Attempts that were made again.
    package var retryCount: Int { self.state.withLock { $0.retryCount } }
    package func retried() { self.state.withLock { $0.retryCount += 1 } }
    package var isStopped: Bool { self.state.withLock { $0.isStopped } }
    package func stop() { self.state.withLock { $0.isStopped = true } }

    /// Sequences of a producer come in order, from 1.
    package func acknowledged(_ producer: Int, _ sequence: Int, _ receipt: AppendReceipt) {
        let now = ContinuousClock.now
        self.state.withLock { state in
            Self.record(.acknowledged, producer, sequence, &state)
            state.acknowledgedCount += 1
            // What the killed leader had sent may be read after its death; a duplicate is told by its successor.
            if receipt.term > state.killedTerm || receipt.isDuplicate, state.after == nil {
                state.after = now
            } else if state.after == nil {
                state.before = now
            }
            state.last = now
        }
    }

    package func refused(_ producer: Int, _ sequence: Int) {
        self.state.withLock { Self.record(.refused, producer, sequence, &$0) }
    }

    package func unknown(_ producer: Int, _ sequence: Int) {
        self.state.withLock { Self.record(.unknown, producer, sequence, &$0) }
    }

    private static func record(_ fate: Fate, _ producer: Int, _ sequence: Int, _ state: inout State) {
        precondition(state.fates[producer].count == sequence - 1, "producer \(producer) skipped before \(sequence)")
        state.fates[producer].append(fate)
    }

    /// Called before the leader of `term` is killed.
    package func killing(leaderOf term: Term) {
        self.state.withLock { state in
            state.killedTerm = term
            state.before = state.last
            state.after = nil
        }
    }

    /// The time between the last acknowledgement by the killed leader and the first by a later one; `nil` before that.
    package var gap: Duration? {
        self.state.withLock { state in state.after.map { state.before.duration(to: $0) } }
    }

    /// Holds the log, in order, against what was said.
    package func compared(with log: [String]) -> Findings {
        let fates = self.state.withLock { $0.fates }
        var counts = fates.map { Array(repeating: 0, count: $0.count) }
        var last = Array(repeating: 0, count: fates.count)
        var findings = Findings()
        for value in log {
            guard
                let (producer, sequence) = Self.parsed(value), fates.indices.contains(producer),
                fates[producer].indices.contains(sequence - 1), fates[producer][sequence - 1] != .refused
            else {
                findings.foreign += 1
                continue
            }
            counts[producer][sequence - 1] += 1
            if counts[producer][sequence - 1] > 1 {
                findings.duplicated += 1
            } else if sequence < last[producer] {
                findings.reordered += 1
            }
            last[producer] = max(last[producer], sequence)
        }
        for (producer, producerFates) in fates.enumerated() {
            for (offset, fate) in producerFates.enumerated() {
                if fate == .unknown { findings.unknown += 1 }
                if fate == .acknowledged, counts[producer][offset] == 0 { findings.lost += 1 }
            }
        }
        return findings
    }

    private static func parsed(_ value: String) -> (producer: Int, sequence: Int)? {
        let parts = value.dropFirst().split(separator: "-")
        guard value.first == "p", parts.count == 2, let producer = Int(parts[0]), let sequence = Int(parts[1]) else {
            return nil
        }
        return (producer, sequence)
    }
}
