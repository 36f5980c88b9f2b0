import HTTP2Transport
import HTTPTypes
import LogModel

/// Appends, tried until they are certain.
extension HoldfastClient {
    /// Appends one atomic batch under a key of the caller's: whoever sends the same key again, from wherever, gets the
    /// first receipt.
    ///
    /// The log remembers the 2,048 keys that appended last. What a key appended is not compared: a key is for one content.
    ///
    /// - Parameters:
    ///   - records: 1 ... 4,096 records, together below 8 MiB.
    ///   - key: 1 ... 255 bytes without line ends; a UUID, say.
    ///   - conditions: A repetition gets the first receipt whether they still hold or not.
    ///   - acknowledgement: Whom to wait for. `all` waits until the time is up, and asks again meanwhile.
    ///   - retried: Called before each further attempt, with why.
    /// - Throws: As ``Producer/append(_:if:acknowledgement:retried:)``; after ``ClientError/outcomeUnknown(_:)`` and
    ///   ``ClientError/notByAll(_:)`` the same key may be sent again.
    @discardableResult
    public func append(
        _ records: [Record], key: String, if conditions: WriteConditions = WriteConditions(),
        acknowledgement: Acknowledgement = .quorum, retried: (@Sendable (String) -> Void)? = nil
    ) async throws(ClientError) -> AppendReceipt {
        try await self.append(
            LabelledAppend(
                AppendBody(records), [.idempotencyKey: key], conditions: conditions, acknowledgement: acknowledgement),
            retried: retried)
    }

    func append(
        _ records: [Record], as sequence: ProducerSequence, if conditions: WriteConditions,
        acknowledgement: Acknowledgement, retried: (@Sendable (String) -> Void)?
    ) async throws(ClientError) -> AppendReceipt {
        let label: HTTPFields = [
            .holdfastProducer: "\(sequence.producer)", .holdfastSequence: "\(sequence.sequence)",
        ]
        return try await self.append(
            LabelledAppend(
                AppendBody(records), label, conditions: conditions, acknowledgement: acknowledgement),
            retried: retried)
    }

    /// Tries until an answer is certain or the time is up; every attempt carries the same label.
    private func append(
        _ append: LabelledAppend, retried: (@Sendable (String) -> Void)?
    ) async throws(ClientError) -> AppendReceipt {
        let start = ContinuousClock.now
        let deadline = start + .milliseconds(self.timeoutMilliseconds)
        var backoff = Backoff()
        var mayBeApplied = false
        var committed: AppendReceipt?
        while true {
            let reason: String
            if let server = await self.pool.leader() {
                switch await self.attempt(append, at: server) {
                case .acknowledged(let receipt):
                    self.pool.confirmed(server)
                    self.metrics.appended(receipt, since: start)
                    return receipt
                case .committed(let receipt):
                    self.pool.confirmed(server)
                    committed = receipt
                    reason = "\(receipt.nodes) of \(receipt.voters) voters have it"
                case .stop(.refused(let problem))
                where committed == nil && mayBeApplied && !append.conditions.areBrokenForGood(by: problem):
                    throw .outcomeUnknown("an earlier attempt may be applied; then \(problem.code): \(problem.detail)")
                case .stop(.untrusted(let why)) where committed == nil && mayBeApplied:
                    throw .outcomeUnknown("an earlier attempt may be applied; then \(why)")
                case .stop(let error):
                    throw committed.map { .notByAll($0) } ?? error
                case .retry(let isUncertain, let leader, let why):
                    mayBeApplied = mayBeApplied || isUncertain
                    reason = "\(server): \(why)"
                    self.pool.doubted(server)
                    if let leader, leader != server { self.pool.heardOfLeader(leader) }
                }
            } else {
                let absence = self.pool.absence
                guard case .unreachable(let why) = absence else {
                    if let committed { throw .notByAll(committed) }
                    throw mayBeApplied ? .outcomeUnknown("an earlier attempt may be applied; then \(absence)") : absence
                }
                reason = why
            }
            guard ContinuousClock.now < deadline, !Task.isCancelled else {
                if let committed { throw .notByAll(committed) }
                throw mayBeApplied ? .outcomeUnknown(reason) : .unreachable(reason)
            }
            retried?(reason)
            await self.pause(&backoff)
        }
    }

    private func attempt(_ append: LabelledAppend, at server: ServerAddress) async -> AppendVerdict {
        do throws(HTTP2ClientError) {
            let (head, answer) = try await self.pool.execute(
                .post, append.path, fields: append.fields, body: append.body.bytes, at: server,
                timeoutMilliseconds: self.attemptTimeoutMilliseconds)
            return AppendVerdict(
                status: head.status, isDuplicate: head.headerFields[.holdfastDuplicate] == "true",
                body: answer.readableBytesView)
        } catch {
            if case .untrusted = error { return .stop(ClientError(error, at: server)) }
            return .retry(mayBeApplied: !error.isCertainlyUnprocessed, leader: nil, reason: "\(error)")
        }
    }
}

/// One append, the same in every attempt.
private struct LabelledAppend {
    let body: AppendBody
    let fields: HTTPFields
    let conditions: WriteConditions
    let path: String

    init(
        _ body: AppendBody, _ label: HTTPFields, conditions: WriteConditions, acknowledgement: Acknowledgement
    ) {
        var fields = label
        fields[.contentType] = body.contentType
        fields[.ifMatch] = conditions.expectedNext.map { "\"\($0)\"" }
        fields[.holdfastFencingToken] = conditions.fencingToken.map { "\($0)" }
        self.body = body
        self.fields = fields
        self.conditions = conditions
        self.path =
            switch acknowledgement {
            case .quorum: "/v1/records"
            case .all: "/v1/records?ack=all&wait=\(ClientLimits.allVotersMilliseconds)ms"
            }
    }
}
