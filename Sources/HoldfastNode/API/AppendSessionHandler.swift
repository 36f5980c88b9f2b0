import HTTP2Transport
import HoldfastClient
import LogModel
import NIOCore
import ReplicaCore
import SegmentFormat
import Synchronization

/// The server's side of a session: takes batches off a stream, and answers them in their order as they commit.
///
///     bytes --whole batch--> slot, asked of the log --> reply --front of the slots--> answered
///       ^                      |
///       '-- no credit while ---'   so many slots or bytes are waited for, or the client reads no answers
///
/// The first failure ends it. Each batch carries the sequence behind the one before it, of the same producer, which the log
/// takes in order only: when one was not applied, none behind it is.
///
/// Event loop only.
final class AppendSessionHandler {
    private struct Slot {
        var sequence: UInt64
        var byteCount: Int
        var result: Result<AppendOutcome, AppendFailure>?
    }

    private let api: ClientAPI
    private let producer: UInt64
    private let conditions: AppendConditions
    private let stream: HTTP2Stream
    private let replies = SessionReplies()
    private var input = ByteBuffer()
    /// Received, and not given credit for.
    private var heldByteCount = 0
    private var slots = CircularBuffer<Slot>()
    /// The number of the front slot.
    private var answeredCount = 0
    private var waitingByteCount = 0
    /// Of the batch that comes next; 0 while any may come.
    private var nextSequence: UInt64 = 0
    private var isInputEnded = false
    /// What came is no batch: said once those before it are answered.
    private var refusal: Problem?
    private var isOver = false

    init(api: ClientAPI, producer: UInt64, conditions: AppendConditions, stream: HTTP2Stream) {
        self.api = api
        self.producer = producer
        self.conditions = conditions
        self.stream = stream
        stream.isLongLived = true
        stream.isManualCredit = true
        stream.send(head: api.head(.ok, contentType: SessionBatch.contentType))
    }

    // MARK: What arrives

    func received(_ body: ByteBuffer) {
        // What follows bytes that are no batch is not kept while those before it are waited for.
        guard !self.isOver, self.refusal == nil else { return self.stream.consumed(body.readableBytes) }
        self.heldByteCount += body.readableBytes
        self.input.add(body)
        self.takeIn()
    }

    func receivedEnd() {
        self.isInputEnded = true
        self.endIfDone()
    }

    func becameWritable() { self.takeIn() }

    func closed() { self.isOver = true }

    private var isHeld: Bool {
        self.slots.count >= NodeLimits.sessionBatchesMax || self.waitingByteCount >= NodeLimits.sessionByteCountMax
            || !self.stream.isWritable
    }

    private func takeIn() {
        let bound = NIOLoopBound(self, eventLoop: self.stream.eventLoop)
        while !self.isOver, !self.isHeld, self.refusal == nil {
            do throws(Problem) {
                guard let batch = try self.nextBatch() else { break }
                try self.ask(batch, bound)
            } catch {
                self.refusal = error
            }
        }
        guard self.isOver || !self.isHeld else { return }
        // A batch may be larger than the window: what is waited for must be able to come.
        self.stream.consumed(self.heldByteCount)
        self.heldByteCount = 0
        self.endIfDone()
    }

    private func nextBatch() throws(Problem) -> SessionBatch? {
        do { return try SessionBatch.next(from: &self.input) } catch { throw .badSession(error) }
    }

    private func ask(_ batch: SessionBatch, _ bound: NIOLoopBound<AppendSessionHandler>) throws(Problem) {
        let isInTurn = self.nextSequence == 0 || batch.sequence == self.nextSequence
        self.nextSequence = batch.sequence
        guard batch.sequence > 0 else { throw .badSequence }
        guard isInTurn else { throw .outOfTurn }
        guard batch.count <= NodeLimits.recordsPerAppendMax else { throw .tooManyRecords(batch.count) }
        let label = AppendLabel.producer(ProducerSequence(producer: self.producer, sequence: batch.sequence))
        let draft: FrameDraft
        do {
            draft = try batch.records.withUnsafeReadableBytes { bytes throws(FormatError) in
                try FrameDraft.records(encoded: bytes.bytes, count: batch.count, label: label)
            }
        } catch { throw .invalidRecord(error) }
        let number = self.answeredCount + self.slots.count
        self.slots.append(Slot(sequence: batch.sequence, byteCount: draft.byteCount))
        self.waitingByteCount += draft.byteCount
        self.nextSequence = batch.sequence &+ 1
        self.api.service.append(Submission(draft, conditions: self.conditions)) { [replies] result in
            guard replies.isFirst(number, result) else { return }
            bound.eventLoop.execute { bound.value.answer() }
        }
    }

    // MARK: What is answered

    /// All that is decided at the front, in one write.
    private func answer() {
        for (number, result) in self.replies.takeAll() where number >= self.answeredCount {
            self.slots[self.slots.index(self.slots.startIndex, offsetBy: number - self.answeredCount)].result = result
        }
        guard !self.isOver else { return }
        var answers = ByteBuffer()
        while let slot = self.slots.first, let result = slot.result {
            switch result {
            case .success(let outcome):
                SessionAnswer.acknowledged(sequence: slot.sequence, outcome.receipt).encode(into: &answers)
                self.slots.removeFirst()
                self.answeredCount += 1
                self.waitingByteCount -= slot.byteCount
            case .failure(let failure):
                self.stream.send(answers)
                var problem = Problem(failure)
                if case .notLeader(let leader) = failure { problem = problem.leading(to: self.api.address(of: leader)) }
                return self.end(with: problem, at: slot.sequence)
            }
        }
        if answers.readableBytes > 0 { self.stream.send(answers) }
        self.takeIn()
    }

    /// - Parameter sequence: Of the batch that failed; those before it are answered.
    private func end(with problem: Problem, at sequence: UInt64) {
        self.isOver = true
        var answer = ByteBuffer()
        SessionAnswer.failed(sequence: sequence, self.api.told(problem)).encode(into: &answer)
        self.stream.send(answer, endStream: true)
    }

    private func endIfDone() {
        guard self.slots.isEmpty, !self.isOver else { return }
        if let refusal { return self.end(with: refusal, at: self.nextSequence) }
        guard self.isInputEnded else { return }
        guard self.input.readableBytes == 0 else { return self.end(with: .cutSession, at: self.nextSequence) }
        self.isOver = true
        self.stream.finish()
    }
}

/// Replies on their way from the log's event loop to that of the stream.
private final class SessionReplies: Sendable {
    typealias Reply = (number: Int, result: Result<AppendOutcome, AppendFailure>)

    private let waiting = Mutex<[Reply]>([])

    /// - Returns: Whether nobody is on the way to fetch it.
    func isFirst(_ number: Int, _ result: Result<AppendOutcome, AppendFailure>) -> Bool {
        self.waiting.withLock { waiting in
            waiting.append((number, result))
            return waiting.count == 1
        }
    }

    func takeAll() -> [Reply] {
        self.waiting.withLock { waiting in
            defer { waiting = [] }
            return waiting
        }
    }
}

extension Problem {
    fileprivate static func badSession(_ error: FrameError) -> Problem {
        .badRequest("the session does not consist of batches: \(error)", hint: "See Sessions in the documentation.")
    }

    fileprivate static let badSequence = Problem.badRequest(
        "a batch has the sequence 0", hint: "Sequences count from 1, one for each batch.")

    fileprivate static let outOfTurn = Problem.badRequest(
        "a batch comes out of turn", hint: "Each sequence is the one before it and 1.")

    fileprivate static let cutSession = Problem.badRequest(
        "the session ended within a batch", hint: "End it behind a whole one.")
}
