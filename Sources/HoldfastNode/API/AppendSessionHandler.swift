import HTTP2Transport
import HoldfastClient
import LogModel
import NIOCore
import ReplicaCore
import SegmentFormat
import Tracing

/// The server's side of a session: takes batches off a stream, and answers them in their order as they commit.
///
///     bytes --whole batch--> slot, asked of the log --> reply --front of the slots--> answered
///       ^                      |
///       '-- no credit while ---'   so many slots or bytes are waited for, or the client reads no answers
///
/// The first failure ends it. Each batch carries the sequence behind the one before it, of the same producer, which the log
/// takes in order only: when one was not applied, none behind it is.
///
/// Batches of one record that came together go to the log as one frame, a run, once it is known that the log has nothing of
/// what this session sends: the frame's costs are shared, and each batch gets its own answer still.
///
/// Event loop only.
final class AppendSessionHandler {
    private let api: ClientAPI
    private let producer: UInt64
    private let conditions: AppendConditions
    private let stream: HTTP2Stream
    private let label: RequestLabel
    private let replies = SessionReplies()
    private let input: SessionInput
    /// Received, and not given credit for.
    private var heldByteCount = 0
    private var slots = CircularBuffer<SessionSlot>()
    /// The number of the front slot.
    private var answeredCount = 0
    private var waitingBatchCount = 0
    private var waitingByteCount = 0
    /// The log took a batch as new: those behind it can only be new, too, while nobody else uses this producer.
    private var isNew = false
    /// Not asked for yet, and where its batches stand in ``input``.
    private var run: RunDraft?
    private var runPlace = 0..<0
    /// Of the batch that comes next; 0 while any may come.
    private var nextSequence: UInt64 = 0
    private var spans: SessionSpans?
    private var isInputEnded = false
    /// What came is no batch: said once those before it are answered.
    private var refusal: Problem?
    private var isOver = false

    init(
        api: ClientAPI, producer: UInt64, conditions: AppendConditions, stream: HTTP2Stream, label: RequestLabel,
        caller: TracedCaller?
    ) {
        self.api = api
        self.producer = producer
        self.conditions = conditions
        self.stream = stream
        self.input = SessionInput(countedIn: api.unfinishedBodies.value)
        self.label = label
        self.spans = SessionSpans(caller)
        stream.isLongLived = true
        stream.isManualCredit = true
        stream.send(head: api.head(.ok, contentType: SessionBatch.contentType, as: label))
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
        // What is held still is read first.
        self.takeIn()
    }

    func becameWritable() { self.takeIn() }

    func closed() {
        self.isOver = true
        self.input.drop()
        self.spans?.abandon("the caller went away")
    }

    private var isHeld: Bool {
        self.waitingBatchCount >= NodeLimits.sessionBatchesMax
            || self.waitingByteCount >= NodeLimits.sessionByteCountMax
            || !self.stream.isWritable
    }

    private func takeIn() {
        while !self.isOver, !self.isHeld, self.refusal == nil {
            do throws(Problem) {
                let start = self.input.offset
                guard let batch = try self.input.nextBatch() else { break }
                try self.take(batch, startingAt: start)
            } catch {
                self.refusal = error
            }
        }
        self.askForRun()
        if self.isOver || self.refusal != nil { self.input.drop() }
        self.input.holdRest(of: self.nextSequence, for: self, on: self.stream)
        guard self.isOver || !self.isHeld else { return }
        // A batch may be larger than the window: what is waited for must be able to come.
        self.stream.consumed(self.heldByteCount)
        self.heldByteCount = 0
        self.endIfDone()
    }

    private func take(_ batch: SessionBatch, startingAt start: Int) throws(Problem) {
        let isInTurn = self.nextSequence == 0 || batch.sequence == self.nextSequence
        self.nextSequence = batch.sequence
        guard batch.sequence > 0 else { throw .badSequence }
        guard isInTurn else { throw .outOfTurn }
        guard batch.count <= NodeLimits.recordsPerAppendMax else { throw .tooManyRecords(batch.count) }
        if self.isNew, batch.count == 1, batch.records.readableBytes <= NodeLimits.sessionRunByteCountMax {
            try self.addToRun(batch, startingAt: start)
        } else {
            self.askForRun()
            let draft = try self.draft(of: batch)
            self.slots.append(SessionSlot(sequence: batch.sequence, byteCount: draft.byteCount))
            self.ask(draft)
        }
        self.waitingBatchCount += 1
        self.nextSequence = batch.sequence &+ 1
    }

    private func draft(of batch: SessionBatch) throws(Problem) -> FrameDraft {
        let label = AppendLabel.producer(ProducerSequence(producer: self.producer, sequence: batch.sequence))
        do {
            return try batch.records.withUnsafeReadableBytes { bytes throws(FormatError) in
                try FrameDraft.records(encoded: bytes.bytes, count: batch.count, label: label)
            }
        } catch { throw .invalidRecord(error) }
    }

    private func addToRun(_ batch: SessionBatch, startingAt start: Int) throws(Problem) {
        if self.run == nil {
            let first = ProducerSequence(producer: self.producer, sequence: batch.sequence)
            let likely = min(self.input.byteCount, NodeLimits.sessionRunByteCountMax) + batch.records.readableBytes
            self.run = RunDraft(from: first, reserving: likely)
            self.runPlace = start..<start
            self.slots.append(SessionSlot(sequence: batch.sequence, count: 0, byteCount: 0))
        }
        do {
            try batch.records.withUnsafeReadableBytes { bytes throws(FormatError) in try self.run?.add(bytes.bytes) }
        } catch { throw .invalidRecord(error) }
        self.runPlace = self.runPlace.lowerBound..<self.input.offset
        if let run, run.byteCount >= NodeLimits.sessionRunByteCountMax { self.askForRun() }
    }

    private func askForRun() {
        guard let run = self.run.take() else { return }
        guard run.count > 0 else {
            self.slots.removeLast()
            return
        }
        let last = self.slots.index(before: self.slots.endIndex)
        self.slots[last].batches = self.input.batches(at: self.runPlace)
        self.slots[last].count = run.count
        self.slots[last].byteCount = run.byteCount
        self.ask(run.finish())
    }

    /// Of the newest slot.
    private func ask(_ draft: FrameDraft) {
        self.waitingByteCount += draft.byteCount
        self.ask(draft, number: self.answeredCount + self.slots.count - 1)
    }

    private func ask(_ draft: FrameDraft, number: Int) {
        let bound = NIOLoopBound(self, eventLoop: self.stream.eventLoop)
        let context = self.spans == nil ? nil : self.traced(number)
        self.api.service.append(Submission(draft, conditions: self.conditions), in: context) { [replies] result in
            guard replies.isFirst(number, result) else { return }
            bound.eventLoop.execute { bound.value.answer() }
        }
    }

    private func traced(_ number: Int) -> ServiceContext? {
        let slot = self.slots[self.slots.index(self.slots.startIndex, offsetBy: number - self.answeredCount)]
        return self.spans?.asked(number, from: slot.sequence, count: slot.count)
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
                self.isNew = self.isNew || !outcome.isDuplicate
                self.acknowledge(slot, outcome, into: &answers)
            case .failure where slot.hasToBeTakenApart:
                self.isNew = false
                self.slots[self.slots.startIndex].count = 1
                self.askForNext(of: slot.batches)
            case .failure(let failure):
                self.stream.send(answers)
                var problem = Problem(failure)
                if case .notLeader(let leader) = failure { problem = problem.leading(to: self.api.address(of: leader)) }
                self.spans?.answered(self.answeredCount, with: problem.status)
                return self.end(with: problem, at: slot.sequence)
            }
        }
        if answers.readableBytes > 0 { self.stream.send(answers) }
        self.takeIn()
    }

    private func acknowledge(_ slot: SessionSlot, _ outcome: AppendOutcome, into answers: inout ByteBuffer) {
        self.waitingBatchCount -= slot.count
        var receipt = outcome.receipt
        if slot.count > 1 {
            answers.reserveCapacity(minimumWritableBytes: slot.count * SessionAnswer.acknowledgementByteCount)
            for number in 0..<UInt64(slot.count) {
                receipt.first = outcome.first.advanced(by: number)
                receipt.last = receipt.first
                SessionAnswer.acknowledged(sequence: slot.sequence + number, receipt).encode(into: &answers)
            }
        } else {
            SessionAnswer.acknowledged(sequence: slot.sequence, receipt).encode(into: &answers)
            if slot.isTakenApart, slot.batches.readableBytes > 0 { return self.askForNext(of: slot.batches) }
        }
        self.spans?.answered(self.answeredCount, with: outcome.isDuplicate ? .ok : .created)
        self.slots.removeFirst()
        self.answeredCount += 1
        self.waitingByteCount -= slot.byteCount
    }

    /// Asks for the first of the batches that the front slot still waits for, by itself.
    private func askForNext(of batches: ByteBuffer) {
        var batches = batches
        guard let batch = try? SessionBatch.next(from: &batches), let draft = try? self.draft(of: batch) else {
            preconditionFailure("a batch was whole before")
        }
        let front = self.slots.startIndex
        self.slots[front].sequence = batch.sequence
        self.slots[front].isTakenApart = true
        self.slots[front].batches = batches
        self.slots[front].result = nil
        self.ask(draft, number: self.answeredCount)
    }

    /// - Parameter sequence: Of the batch that failed; those before it are answered.
    private func end(with problem: Problem, at sequence: UInt64) {
        self.isOver = true
        self.input.drop()
        self.spans?.abandon("the session ended at an append before")
        var answer = ByteBuffer()
        SessionAnswer.failed(sequence: sequence, self.api.told(problem, as: self.label, of: .append)).encode(
            into: &answer)
        self.stream.send(answer, endStream: true)
    }

    private func endIfDone() {
        guard self.slots.isEmpty, !self.isOver else { return }
        if let refusal { return self.end(with: refusal, at: self.nextSequence) }
        guard self.isInputEnded else { return }
        guard self.input.byteCount == 0 else { return self.end(with: .cutSession, at: self.nextSequence) }
        self.isOver = true
        self.stream.finish()
    }
}

extension AppendSessionHandler: UnfinishedBody {
    func giveWay() {
        self.input.gaveWay()
        self.refusal = .gaveWay
        self.endIfDone()
    }
}
