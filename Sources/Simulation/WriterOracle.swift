import LogModel
import LogState
import ReplicaCore
import SegmentFormat

/// Knows what writers were promised, and throws when a promise is broken.
struct WriterOracle {
    private var asked: [IdempotencyKey: AppendConditions] = [:]
    private var places: [IdempotencyKey: LogIndex] = [:]
    private var refused: Set<IdempotencyKey> = []
    /// The index behind all committed records.
    private var committedNext = LogIndex.first
    /// The highest token of an append that is committed.
    private var committedToken: UInt64 = 0
    private(set) var acknowledgedToken: UInt64 = 0
    /// By name, how far each cursor was acknowledged to be.
    private(set) var acknowledgedCursors: [CursorName: LogIndex] = [:]
    private(set) var acknowledgedCount = 0

    mutating func asks(_ write: SimulatedWriter.Write) { self.asked[write.key] = write.conditions }

    /// - Parameter frame: In the order of the log.
    mutating func committed(_ frame: MirroredLog.Frame) throws(Violation) {
        self.committedNext = frame.firstIndex.advanced(by: UInt64(frame.recordCount))
        guard case .key(let key) = frame.label else { return }
        guard let conditions = self.asked[key] else {
            throw Violation(invariant: .acknowledgedOnce, detail: "nobody asked for key \(key.high)/\(key.low)")
        }
        if let other = self.places.updateValue(frame.firstIndex, forKey: key) {
            throw Violation(
                invariant: .acknowledgedOnce,
                detail: "key \(key.high)/\(key.low) stands at \(other) and \(frame.firstIndex)")
        }
        guard !self.refused.contains(key) else {
            throw Violation(
                invariant: .conditions, detail: "key \(key.high)/\(key.low), refused, stands at \(frame.firstIndex)")
        }
        if let expected = conditions.expectedNext, expected != frame.firstIndex {
            throw Violation(
                invariant: .conditions,
                detail: "key \(key.high)/\(key.low), expected at \(expected), stands at \(frame.firstIndex)")
        }
        guard let token = conditions.fencingToken else { return }
        guard token >= self.committedToken else {
            throw Violation(
                invariant: .fencing,
                detail: "an append with token \(token) stands at \(frame.firstIndex), behind \(self.committedToken)")
        }
        self.committedToken = token
    }

    mutating func acknowledged(
        _ write: SimulatedWriter.Write, _ outcome: AppendOutcome, of attempt: SimulatedWriter.Attempt
    ) throws(Violation) {
        guard self.places[write.key] == outcome.first else {
            throw Violation(
                invariant: .acknowledgedOnce,
                detail: "key \(write.key.high)/\(write.key.low) was acknowledged at \(outcome.first), "
                    + "and stands at \(self.places[write.key].map(\.description) ?? "no place")")
        }
        self.acknowledgedCount += 1
        guard let token = write.conditions.fencingToken else { return }
        guard outcome.isDuplicate || token >= attempt.acknowledgedToken else {
            throw Violation(
                invariant: .fencing,
                detail: "token \(token) was taken after \(attempt.acknowledgedToken) had been acknowledged")
        }
        self.acknowledgedToken = max(self.acknowledgedToken, token)
    }

    mutating func refused(
        _ write: SimulatedWriter.Write, _ failure: AppendFailure, of attempt: SimulatedWriter.Attempt
    ) throws(Violation) {
        let isRight =
            switch failure {
            // Whoever says what comes next must know all that was acknowledged before it was asked, and rest on nothing
            // that may go again.
            case .conditionFailed(let next):
                next > attempt.acknowledgedIndex && next <= self.committedNext
                    && write.conditions.expectedNext.map { $0 < next } ?? false
            case .fenced(let token): write.conditions.fencingToken.map { $0 < token } ?? false
            default: true
            }
        guard isRight, self.places[write.key] == nil else {
            throw Violation(
                invariant: .conditions,
                detail: "key \(write.key.high)/\(write.key.low), \(write.conditions), was refused: \(failure)")
        }
        self.refused.insert(write.key)
    }

    mutating func fenced(_ token: UInt64) { self.acknowledgedToken = max(self.acknowledgedToken, token) }

    mutating func acknowledged(_ cursor: Cursor, of name: CursorName) { self.acknowledgedCursors[name] = cursor.index }

    /// - Parameter known: What had been acknowledged when the read was asked for.
    func check(_ cursors: CursorTable, against known: [CursorName: LogIndex]) throws(Violation) {
        for (name, index) in known.sorted(by: { $0.key < $1.key }) {
            guard let found = cursors[name]?.index, found >= index else {
                throw Violation(
                    invariant: .cursors,
                    detail: "\(name) is at \(cursors[name].map { "\($0.index)" } ?? "no place"), after \(index)")
            }
        }
    }
}
