import LogModel
import LogState
import ReplicaCore
import SegmentFormat

/// A client that appends under idempotency keys, conditions and fencing tokens, and keeps a cursor; it retries what is
/// in doubt, and takes a refusal for an answer.
struct SimulatedWriter {
    /// One append, the same in every attempt.
    struct Write {
        var key: IdempotencyKey
        var conditions: AppendConditions
        var draft: FrameDraft
    }

    enum Task {
        case append(Write)
        case fence(UInt64)
        case moveCursor(Cursor)
    }

    /// What was known when a request was sent.
    struct Attempt {
        var request: UInt64
        var node: Int
        var life: Int
        var acknowledgedIndex: LogIndex
        var acknowledgedToken: UInt64
        /// All voters are waited for.
        var isByAll: Bool
    }

    let number: UInt64
    let cursorName: CursorName
    var task: Task?
    var attempt: Attempt?
    var lastLeader: Int?
    /// As it has last heard.
    var nextIndex = LogIndex.first
    var token: UInt64 = 0
    /// How often it has moved its cursor.
    var cursorMoves: UInt64 = 0
    var doneCount: UInt64 = 0
    /// Once faults have stopped: enough when it has done so much.
    var goal: UInt64?

    init(number: UInt64) {
        guard let name = CursorName("writer-\(number)") else { preconditionFailure("\(number) makes no name") }
        self.number = number
        self.cursorName = name
    }

    /// - Parameter isByAll: For appends.
    func submission(isByAll: Bool) -> Submission? {
        switch self.task {
        case nil: nil
        case .append(let write):
            Submission(
                write.draft, conditions: write.conditions,
                acknowledgedBy: isByAll ? .all(withinMilliseconds: 200) : .quorum)
        case .fence(let token): Submission(.raiseFence(to: token))
        case .moveCursor(let cursor): Submission(.setCursor(self.cursorName, cursor))
        }
    }

    /// What an unanswered cursor's move might undo if it came late: the next move waits for it.
    var isPatient: Bool {
        if case .moveCursor = self.task { true } else { false }
    }
}
