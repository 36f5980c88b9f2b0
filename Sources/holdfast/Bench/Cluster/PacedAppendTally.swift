import HoldfastClient
import LogModel
import Synchronization

/// What the callers of a load at a rate were told, of all of them together.
final class PacedAppendTally: Sendable {
    struct Result: Sendable {
        var acknowledged = 0
        var refused = 0
        var unknown = 0
        /// Due, and not begun before the time was up.
        var notBegun = 0
        var retries = 0
        /// Why the first one failed that did.
        var failure: String?
        var fromDue = LatencyRecorder()
        var fromSending = LatencyRecorder()
        /// The longest time between two acknowledgements.
        var gapNanoseconds: UInt64 = 0
        /// The longest time without one from the beginning of the load to its end; see ``AcknowledgementGaps``.
        var silenceNanoseconds: UInt64 = 0
        var seconds = 0.0
        /// `nil` when nothing was read back.
        var findings: AppendLedger.Findings?
    }

    private struct State {
        var result = Result()
        var ledger: AppendLedger
        var gaps = AcknowledgementGaps()
    }

    private let state: Mutex<State>
    private let labels: AppendLedger

    /// - Parameter followsTrims: It is told when the log loses its beginning; costs 16 bytes for each record that is kept.
    init(producers: Int, followsTrims: Bool = false) {
        let ledger = AppendLedger(producers: producers, followsTrims: followsTrims)
        self.labels = ledger
        self.state = Mutex(State(ledger: ledger))
    }

    /// What the value of an append begins with.
    func label(_ producer: Int, _ sequence: Int) -> String { self.labels.label(producer, sequence) }

    var result: Result { self.state.withLock { $0.result } }
    var acknowledgedCount: Int { self.state.withLock { $0.result.acknowledged } }
    var ledger: AppendLedger { self.state.withLock { $0.ledger } }

    var words: String {
        self.state.withLock { state in
            let failed = state.result.refused + state.result.unknown
            let gap = Double(state.result.gapNanoseconds) / 1e6
            return "\(state.result.acknowledged) acknowledged, longest gap \(gap.rounded(0)) ms"
                + (failed > 0 ? ", \(failed) failed" : "")
        }
    }

    func acknowledged(_ producer: Int, _ sequence: Int, at index: LogIndex, due: UInt64, sent: UInt64) {
        let now = MonotonicClock.now
        self.state.withLock { state in
            state.ledger.acknowledged(producer, sequence, at: index)
            state.result.acknowledged += 1
            // A sleep may end a little early.
            state.result.fromDue.record(now - min(due, now))
            state.result.fromSending.record(now - sent)
            state.gaps.acknowledged(at: now)
            state.result.gapNanoseconds = state.gaps.between
        }
    }

    func failed(_ producer: Int, _ sequence: Int, _ error: ClientError) {
        self.state.withLock { state in
            switch error {
            case .refused, .trimmed, .unreachable, .untrusted, .noClientPort, .ended:
                state.ledger.refused(producer, sequence)
                state.result.refused += 1
            case .outcomeUnknown, .badAnswer, .notByAll:
                state.ledger.unknown(producer, sequence)
                state.result.unknown += 1
            }
            state.result.failure = state.result.failure ?? error.description
        }
    }

    /// The log begins at `first`, or does so soon.
    func trimmed(before first: LogIndex) { self.state.withLock { $0.ledger.trimmed(before: first) } }

    /// Of all of the load, in nanoseconds of ``MonotonicClock``.
    func silenceNanoseconds(from began: UInt64, through ended: UInt64) -> UInt64 {
        self.state.withLock { $0.gaps.longest(from: began, through: ended) }
    }

    func retried() { self.state.withLock { $0.result.retries += 1 } }
}
