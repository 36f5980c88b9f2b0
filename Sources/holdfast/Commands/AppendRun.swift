import HoldfastClient
import HoldfastNode
import LogModel
import Synchronization

/// How much of a run was acknowledged, for whoever interrupts it.
private final class CertainCount: Sendable {
    private let state = Mutex((records: 0, last: LogIndex.first))

    func set(_ records: Int, through last: LogIndex) { self.state.withLock { $0 = (records, last) } }

    var words: String {
        let (records, last) = self.state.withLock { $0 }
        return records == 0
            ? "no record is certainly in the log"
            : "\(records.counted("record")) \(records == 1 ? "is" : "are") certainly in the log, the last at index \(last)"
    }
}

/// One run of `holdfast append`: what was appended so far.
final class AppendRun {
    private let client: HoldfastClient
    private let producer: Producer
    /// Of the next batch.
    private var conditions: WriteConditions
    private let acknowledgement: Acknowledgement
    private let console: Console
    private let input: Input
    private let started = ContinuousClock.now
    private var recordCount = 0
    private var byteCount = 0
    private var first: LogIndex?
    /// Of the last batch.
    private var receipt: AppendReceipt?
    /// Of the batch that the fewest nodes were known to have.
    private var nodesMin: Int?
    private var duplicateCount = 0
    private var isKeyKnown = false
    private let certain = CertainCount()
    private var progress: AppendProgress
    private let retries: RetryNotes

    /// How records are made of what is read.
    struct Input {
        var format: RecordFormat
        /// Lines of one request at most.
        var batch: Int
        /// How long lines wait for more.
        var lingerMilliseconds: UInt64
        /// Also where no terminal is.
        var tellsProgress: Bool
    }

    init(
        client: HoldfastClient, console: Console, input: Input, conditions: WriteConditions,
        acknowledgement: Acknowledgement
    ) {
        self.client = client
        self.producer = client.makeProducer()
        self.conditions = conditions
        self.acknowledgement = acknowledgement
        self.console = console
        self.input = input
        self.progress = AppendProgress(console: console, isForced: input.tellsProgress)
        self.retries = RetryNotes(console: console)
    }

    /// For the progress: all that will be read.
    func willRead(_ readers: [LineReader]) { self.progress.readers = readers }

    func append(_ reader: LineReader) async throws(CommandFailure) {
        var lineNumber = 0
        while let lines = try self.lines(of: reader) {
            var rest = lines[...]
            while !rest.isEmpty {
                let part = self.nextBatch(of: rest)
                rest = rest.dropFirst(part.count)
                let records = try self.records(of: part, reader, from: lineNumber + 1)
                do throws(ClientError) {
                    if !records.isEmpty { try await self.send(records) }
                } catch {
                    throw self.stopped(error, reader, from: lineNumber + 1, through: lineNumber + part.count)
                }
                lineNumber += part.count
            }
        }
    }

    /// - Throws: What the disk said; what was read before is in the log.
    private func lines(of reader: LineReader) throws(CommandFailure) -> [Bytes]? {
        do throws(CommandFailure) {
            return try reader.lines(gathering: self.input.batch, milliseconds: self.input.lingerMilliseconds)
        } catch {
            self.progress.end()
            var failure = error
            failure.what += " (\(self.recordCount.counted("record")) before that went into the log)"
            throw failure
        }
    }

    /// - Throws: Which line holds no record; none of these is sent then.
    private func records(
        of lines: some Collection<Bytes>, _ reader: LineReader, from first: Int
    ) throws(CommandFailure) -> [Record] {
        var records: [Record] = []
        records.reserveCapacity(lines.count)
        for (offset, line) in lines.enumerated() {
            do throws(RecordFormat.Refusal) {
                if let record = try self.input.format.record(of: line) { records.append(record) }
            } catch {
                self.progress.end()
                throw CommandFailure(
                    .usage,
                    "\(reader.name), line \(first + offset): \(error) (\(self.recordCount.counted("record")) before it went into the log)",
                    applied: .no, next: "correct the line, and append from line \(first) on")
            }
        }
        return records
    }

    /// All of the input as one request, which may be sent again at any time.
    func append(_ files: [String], key: String) async throws(CommandFailure) {
        var records: [Record] = []
        var byteCount = 0
        for file in files {
            let reader = try LineReader(path: file)
            var lineNumber = 0
            while let lines = try reader.lines() {
                byteCount += lines.reduce(0) { $0 + $1.count }
                records += try self.records(of: lines, reader, from: lineNumber + 1)
                lineNumber += lines.count
                guard records.count <= NodeLimits.recordsPerAppendMax, byteCount <= NodeLimits.bodyByteCountMax else {
                    throw CommandFailure(
                        .usage, "the input is too large for one request", applied: .no,
                        next: "give at most \(NodeLimits.recordsPerAppendMax) lines to one key, together below "
                            + Units.described(byteCount: UInt64(NodeLimits.bodyByteCountMax)))
                }
            }
        }
        guard !records.isEmpty else { return }
        do throws(ClientError) {
            let receipt = try await self.client.append(
                records, key: key, if: self.conditions, acknowledgement: self.acknowledgement,
                retried: self.retries.said)
            self.appended(records, receipt)
            self.isKeyKnown = receipt.isDuplicate
        } catch {
            self.progress.end()
            var failure = CommandFailure(error, isAppend: true)
            if case .outcomeUnknown = error { failure.next = "run the same command again: nothing is stored twice" }
            throw failure
        }
    }

    /// As many lines as one request may hold.
    private func nextBatch(of lines: ArraySlice<Bytes>) -> ArraySlice<Bytes> {
        var byteCount = 0
        let fitting = lines.prefix(self.input.batch).prefix { line in
            byteCount += line.count
            // With the records' heads this fits into a frame of the smallest segments.
            return byteCount <= 960 << 10
        }
        return fitting.isEmpty ? lines.prefix(1) : fitting
    }

    private func send(_ records: [Record]) async throws(ClientError) {
        self.appended(
            records,
            try await self.producer.append(
                records, if: self.conditions, acknowledgement: self.acknowledgement, retried: self.retries.said))
    }

    private func appended(_ records: [Record], _ receipt: AppendReceipt) {
        if self.conditions.expectedNext != nil { self.conditions.expectedNext = receipt.last.advanced(by: 1) }
        self.recordCount += records.count
        self.byteCount += records.reduce(0) { $0 + $1.value.count }
        self.first = self.first ?? receipt.first
        self.receipt = receipt
        self.nodesMin = min(self.nodesMin ?? receipt.nodes, receipt.nodes)
        if receipt.isDuplicate { self.duplicateCount += 1 }
        self.certain.set(self.recordCount, through: receipt.last)
        self.progress.show {
            "\(self.recordCount.counted("record")), \(Units.described(byteCount: UInt64(self.byteCount))), index \(receipt.last)"
        }
    }

    /// Says what is in the log for sure, from whatever thread a signal is heard on.
    var interrupted: @Sendable () -> Void {
        let (certain, console) = (self.certain, self.console)
        return {
            console.endProgress()
            console.note("interrupted; \(certain.words), and what was on its way may be, too")
        }
    }

    private func stopped(_ error: ClientError, _ reader: LineReader, from: Int, through: Int) -> CommandFailure {
        self.progress.end()
        var failure = CommandFailure(error, isAppend: true)
        let lines = from == through ? "line \(from)" : "lines \(from) to \(through)"
        failure.what =
            "\(reader.name), \(lines): \(failure.what) (\(self.recordCount.counted("record")) before them went into the log)"
        return failure
    }

    func finish(as format: OutputFormat) {
        self.progress.end()
        let seconds = self.started.duration(to: .now).seconds
        switch format {
        case .table:
            guard let first, let receipt, let nodesMin else { return self.console.out("nothing to append") }
            let indexes = first == receipt.last ? "index \(first)" : "\(first) to \(receipt.last)"
            let isOneBatch = self.recordCount == Int(receipt.last.rawValue - receipt.first.rawValue) + 1
            guard !self.isKeyKnown else {
                return self.console.out(
                    "nothing was appended: this key had appended \(indexes) before, whatever the input was then")
            }
            let count = isOneBatch || nodesMin == receipt.voters ? "\(nodesMin)" : "at least \(nodesMin)"
            self.console.out(
                "appended \(self.recordCount.counted("record")), \(indexes), in \(seconds.rounded(2)) s; "
                    + "\(receipt.durability) by \(count) of \(receipt.voters) nodes")
        case .json:
            var writer = JSONWriter()
            writer.object {
                $0.member("records", self.recordCount)
                $0.member("bytes", self.byteCount)
                if let first = self.first { $0.member("first", first.rawValue) }
                if let receipt = self.receipt {
                    $0.member("last", receipt.last.rawValue)
                    // Of the last batch; the ones before it are in the log in front of it.
                    $0.member("position", receipt.position.description)
                    $0.member("term", receipt.term.rawValue)
                    $0.member("durability", receipt.durability.rawValue)
                    $0.member("nodes", self.nodesMin ?? receipt.nodes)
                    $0.member("voters", receipt.voters)
                }
                $0.member("retried_batches_already_applied", self.duplicateCount)
                $0.member("milliseconds", Int(seconds * 1000))
            }
            writer.endLine()
            self.console.out(bytes: writer.bytes)
        }
    }
}
