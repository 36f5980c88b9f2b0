import LogModel

/// One writer: numbers its appends, sends them one after the other, and retries each until it is certain.
///
/// Rule: a sequence is used for one content only. Why: the log answers a known sequence with the first
/// result. So after an outcome stays unknown, the producer goes on under a new number of its own.
public actor Producer {
    private let client: HoldfastClient
    private var sequence: ProducerSequence
    private var isBusy = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    init(client: HoldfastClient) {
        self.client = client
        self.sequence = Self.fresh()
    }

    /// The 64-bit number under which the log knows this producer, for as long as it lives.
    public var number: UInt64 { self.sequence.producer }

    /// Appends one atomic batch: all of it is in the log, in order and once, or nothing is.
    ///
    /// Calls are served in the order in which they arrive.
    ///
    /// - Parameters:
    ///   - records: 1 ... 4,096 records, together below 8 MiB.
    ///   - conditions: Checked when the batch is placed; a retry of what was applied is acknowledged all the same.
    ///   - acknowledgement: Whom to wait for. `all` waits until the time is up, and asks again meanwhile.
    ///   - retried: Called before each further attempt, with why.
    /// - Throws: ``ClientError/refused(_:)`` with `CONDITION_FAILED` or `FENCED` when `conditions` do not hold;
    ///   ``ClientError/notByAll(_:)`` when the records are committed, and the time is up before all voters are known
    ///   to have them; ``ClientError/outcomeUnknown(_:)`` when the time is up after the records may have been
    ///   applied; any other error says that they were not.
    @discardableResult
    public func append(
        _ records: [Record], if conditions: WriteConditions = WriteConditions(),
        acknowledgement: Acknowledgement = .quorum, retried: (@Sendable (String) -> Void)? = nil
    ) async throws(ClientError) -> AppendReceipt {
        await self.enter()
        defer { self.leave() }
        do throws(ClientError) {
            let receipt = try await self.client.append(
                records, as: self.sequence, if: conditions, acknowledgement: acknowledgement, retried: retried)
            self.sequence.sequence += 1
            return receipt
        } catch {
            switch error {
            case .outcomeUnknown: self.sequence = Self.fresh()
            case .notByAll: self.sequence.sequence += 1
            case .refused, .trimmed, .unreachable, .untrusted, .noClientPort, .ended, .badAnswer: break
            }
            throw error
        }
    }

    private func enter() async {
        guard self.isBusy else {
            self.isBusy = true
            return
        }
        await withCheckedContinuation { self.waiting.append($0) }
    }

    /// Hands the turn over directly, so that nobody overtakes who waits.
    private func leave() {
        guard !self.waiting.isEmpty else {
            self.isBusy = false
            return
        }
        self.waiting.removeFirst().resume()
    }

    private static func fresh() -> ProducerSequence {
        ProducerSequence(producer: .random(in: 1 ... .max), sequence: 1)
    }
}
