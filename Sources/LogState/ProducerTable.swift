import LogModel

/// What became of one append of a producer.
package struct ProducerResult: Hashable, Sendable {
    package var sequence: UInt64
    package var append: StoredAppend
}

/// What to do with an append that carries a producer's sequence.
package enum ProducerVerdict: Hashable, Sendable {
    case new
    case duplicate(StoredAppend)
    /// Stored before, but too long ago for the result to be kept.
    case duplicateForgotten(last: UInt64)
    /// An earlier append of this producer is missing.
    case gap(expected: UInt64)
    /// An unknown producer that does not begin with 1: whether the append was stored is unknown.
    case expired
}

/// The producers that appended last, with their newest results.
///
/// Use is ordered by the first index of a producer's newest result, which the log itself decides; so every node
/// lets the same producer go.
struct ProducerTable: Hashable, Sendable {
    /// Each: 1 ... 16 results of consecutive sequences, oldest first.
    private(set) var results: [UInt64: [ProducerResult]] = [:]

    struct Evicted: Hashable, Sendable {
        var producer: UInt64
        var results: [ProducerResult]
    }

    /// How to take back one ``append(_:of:)`` or ``append(run:of:)``.
    enum Undo: Hashable, Sendable {
        /// The newest result goes, `oldest` comes back.
        case removeResult(of: UInt64, oldest: ProducerResult?)
        /// What there was before a run comes back.
        case removeRun(of: UInt64, before: [ProducerResult])
        /// The producer goes, `evicted` comes back.
        case removeProducer(UInt64, evicted: Evicted?)
    }

    func verdict(on append: ProducerSequence) -> ProducerVerdict {
        guard let results = self.results[append.producer], let first = results.first, let last = results.last else {
            return append.sequence == 1 ? .new : .expired
        }
        guard append.sequence <= last.sequence else {
            let expected = last.sequence + 1
            return append.sequence == expected ? .new : .gap(expected: expected)
        }
        guard append.sequence >= first.sequence else { return .duplicateForgotten(last: last.sequence) }
        return .duplicate(results[Int(append.sequence - first.sequence)].append)
    }

    /// - Parameter result: Its sequence was found to be ``ProducerVerdict/new``.
    mutating func append(_ result: ProducerResult, of producer: UInt64) -> Undo {
        if let index = self.results.index(forKey: producer) {
            var oldest: ProducerResult?
            if self.results.values[index].count == LogStateLimits.resultsPerProducerMax {
                oldest = self.results.values[index].removeFirst()
            }
            self.results.values[index].append(result)
            return .removeResult(of: producer, oldest: oldest)
        }
        return self.begin(producer, with: [result])
    }

    /// - Parameter run: The newest appends of one frame, at least one, no more than are kept; the sequence of the frame's
    ///   first was found to be ``ProducerVerdict/new``.
    mutating func append(run: [ProducerResult], of producer: UInt64) -> Undo {
        guard let before = self.results[producer] else { return self.begin(producer, with: run) }
        self.results[producer] = before.suffix(LogStateLimits.resultsPerProducerMax - run.count) + run
        return .removeRun(of: producer, before: before)
    }

    private mutating func begin(_ producer: UInt64, with results: [ProducerResult]) -> Undo {
        let evicted = self.results.count == LogStateLimits.producersMax ? self.evictLeastRecentlyUsed() : nil
        self.results[producer] = results
        return .removeProducer(producer, evicted: evicted)
    }

    mutating func undo(_ undo: Undo) {
        switch undo {
        case .removeResult(let producer, let oldest):
            self.results[producer]?.removeLast()
            if let oldest { self.results[producer]?.insert(oldest, at: 0) }
        case .removeRun(let producer, let before): self.results[producer] = before
        case .removeProducer(let producer, let evicted):
            self.results[producer] = nil
            if let evicted { self.results[evicted.producer] = evicted.results }
        }
    }

    /// Ordered by last use, the least recent first.
    var byLastUse: [(producer: UInt64, results: [ProducerResult])] {
        self.results.map { ($0.key, $0.value) }.sorted { Self.lastUse($0.1) < Self.lastUse($1.1) }
    }

    /// - Parameter entries: As ``byLastUse`` gives them.
    init(byLastUse entries: [(producer: UInt64, results: [ProducerResult])] = []) {
        self.results.reserveCapacity(entries.count)
        for entry in entries { self.results[entry.producer] = entry.results }
    }

    static func lastUse(_ results: [ProducerResult]) -> LogIndex {
        results.last?.append.firstIndex ?? LogIndex(0)
    }

    private mutating func evictLeastRecentlyUsed() -> Evicted? {
        guard
            let oldest = self.results.min(by: { Self.lastUse($0.value) < Self.lastUse($1.value) })
        else { return nil }
        self.results[oldest.key] = nil
        return Evicted(producer: oldest.key, results: oldest.value)
    }
}
