import LogModel
import NIOCore
import NIOPosix
import Tracing

/// Appends the records of many tasks, grouped into batches: each caller gives one record and gets its own index.
///
/// ```swift
/// let appender = client.makeAppender()
/// let receipt = try await appender.append(Record("hello"))
/// await appender.shutdown()
/// ```
///
///     send --(full: waits)--> queue --(whole batch, or the oldest has lingered)--> on its way --> each is told
///
/// One batch is on its way at a time, by a ``Producer``: it is tried again over failovers, never stored twice, and the
/// records of a caller stand in the order in which it gave them. What comes meanwhile makes the next batch, so that batches
/// grow with the load.
///
/// When a batch fails, each of its callers is told the same, and ``ClientError/applied`` says what became of all of them: a
/// batch is in the log as a whole or not at all. The next batch goes on. Nobody waits for long: a record whose turn does not
/// come within the client's time fails, too, and is not applied.
public actor Appender {
    private typealias Entry = AppendQueue.Entry

    private let client: HoldfastClient
    private let producer: Producer
    private let options: AppenderOptions
    private let eventLoop: any EventLoop = MultiThreadedEventLoopGroup.singleton.next()
    private var queue: AppendQueue
    /// Callers that wait for room, oldest first.
    private var outside = CircularBuffer<(entry: Entry, admitted: CheckedContinuation<Void, Never>)>()
    private var nextNumber: UInt64 = 0
    private var flushing: Task<Void, Never>?
    private var lingering: Task<Void, Never>?
    private var isEnding = false

    init(_ client: HoldfastClient, options: AppenderOptions) {
        options.check()
        self.client = client
        self.producer = client.makeProducer()
        self.options = options
        self.queue = AppendQueue(options)
    }

    /// Appends one record, and waits for its acknowledgement.
    ///
    /// A task that is cancelled takes its record back if that is not on its way yet; otherwise it still learns what became of
    /// it.
    ///
    /// - Parameter record: Below 8 MiB.
    /// - Returns: The receipt of this record: its index is `first`, and `last`.
    /// - Throws: ``ClientError``, of which ``ClientError/applied`` says whether the record is in the log;
    ///   ``ClientError/ended(_:)`` after ``shutdown()``, or when it was taken back.
    @discardableResult
    public func append(_ record: Record) async throws(ClientError) -> AppendReceipt {
        let entry = try await self.enqueue(record)
        let pending = PendingReceipt(result: entry.promise.futureResult)
        return try await withTaskCancellationHandler {
            await pending.fate
        } onCancel: {
            Task { await self.takeBack(entry.number) }
        }.get()
    }

    /// Gives one record, behind all that this caller gave before, without waiting for its acknowledgement.
    ///
    /// - Parameter record: Below 8 MiB.
    /// - Returns: As soon as it is queued; while the queue is full, that is when there is room.
    /// - Throws: ``ClientError/ended(_:)`` after ``shutdown()``; nothing was sent.
    public func send(_ record: Record) async throws(ClientError) -> PendingReceipt {
        PendingReceipt(result: try await self.enqueue(record).promise.futureResult)
    }

    /// Takes nothing more, and waits until all that was given is answered.
    public func shutdown() async {
        self.isEnding = true
        self.lingering?.cancel()
        while let flushing = self.flushing { await flushing.value }
    }

    /// Takes nothing more and sends nothing more: what waits fails, and what is on its way is given up.
    func abandon() {
        self.isEnding = true
        self.lingering?.cancel()
        self.flushing?.cancel()
    }

    // MARK: Waiting

    private func enqueue(_ record: Record) async throws(ClientError) -> Entry {
        guard !self.isEnding else { throw .ended("the appender was shut down") }
        let entry = Entry(
            number: self.nextNumber, record: record, since: .now, context: .current,
            promise: self.eventLoop.makePromise())
        self.nextNumber += 1
        if self.outside.isEmpty, !self.queue.isFull {
            self.admit(entry)
        } else {
            await withTaskCancellationHandler {
                await withCheckedContinuation { self.outside.append((entry, $0)) }
            } onCancel: {
                Task { await self.takeBack(entry.number) }
            }
        }
        return entry
    }

    private func admit(_ entry: Entry) {
        self.queue.add(entry)
        if self.queue.hasWholeBatch { self.lingering?.cancel() }
        guard self.flushing == nil else { return }
        // It goes on for others when this caller's span has long ended.
        self.flushing = ServiceContext.$current.withValue(nil) { Task { await self.flush() } }
    }

    private func makeRoom() {
        while !self.queue.isFull, let next = self.outside.popFirst() {
            self.admit(next.entry)
            next.admitted.resume()
        }
    }

    private func takeBack(_ number: UInt64) {
        var entry = self.queue.remove(number)
        if entry == nil, let place = self.outside.firstIndex(where: { $0.entry.number == number }) {
            let waiting = self.outside.remove(at: place)
            waiting.admitted.resume()
            entry = waiting.entry
        }
        entry?.promise.succeed(.failure(.ended("cancelled before it was sent")))
        self.makeRoom()
    }

    // MARK: Sending

    private func flush() async {
        while let oldest = self.queue.oldest {
            await self.linger(since: oldest.since)
            var batch = self.queue.nextBatch()
            self.makeRoom()
            if Task.isCancelled {
                for entry in batch { entry.promise.succeed(.failure(.ended("the appender was cancelled"))) }
                continue
            }
            let expired = ContinuousClock.now - .milliseconds(self.client.timeoutMilliseconds)
            let late = batch.prefix { $0.since < expired }
            for entry in late { entry.promise.succeed(.failure(.unreachable("its turn did not come in time"))) }
            batch.removeFirst(late.count)
            if !batch.isEmpty { await self.send(batch) }
        }
        self.flushing = nil
    }

    private func linger(since start: ContinuousClock.Instant) async {
        guard !self.queue.hasWholeBatch, !self.isEnding else { return }
        let rest = ContinuousClock.now.duration(to: start + self.options.linger)
        guard rest > .zero else { return }
        let lingering = Task { _ = try? await Task.sleep(for: rest) }
        self.lingering = lingering
        await lingering.value
        self.lingering = nil
    }

    private func send(_ batch: [Entry]) async {
        self.client.metrics.sent(batch: batch.count)
        // Of all whose records go together, a request can be part of one caller's trace.
        let context = batch.lazy.compactMap(\.context).first
        switch await ServiceContext.$current.withValue(context, operation: { await self.result(of: batch) }) {
        case .success(let receipt):
            for (offset, entry) in batch.enumerated() { entry.promise.succeed(.success(receipt.ofRecord(offset))) }
        case .failure(let error):
            for (offset, entry) in batch.enumerated() {
                let failure: ClientError =
                    if case .notByAll(let receipt) = error { .notByAll(receipt.ofRecord(offset)) } else { error }
                entry.promise.succeed(.failure(failure))
            }
        }
    }

    private func result(of batch: [Entry]) async -> Result<AppendReceipt, ClientError> {
        do throws(ClientError) {
            return .success(
                try await self.producer.append(
                    batch.map(\.record), if: WriteConditions(fencingToken: self.options.fencingToken),
                    acknowledgement: self.options.acknowledgement))
        } catch { return .failure(error) }
    }
}

extension AppendReceipt {
    /// Of one record of its batch, the first being 0.
    fileprivate func ofRecord(_ offset: Int) -> AppendReceipt {
        var receipt = self
        receipt.first = self.first.advanced(by: UInt64(offset))
        receipt.last = receipt.first
        return receipt
    }
}

extension HoldfastClient {
    /// An appender of its own, for as many tasks as there are. ``Appender/shutdown()`` it before this client.
    public func makeAppender(_ options: AppenderOptions = AppenderOptions()) -> Appender {
        Appender(self, options: options)
    }
}
