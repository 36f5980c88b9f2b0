import DequeModule
import LogModel

/// What the producers of one load were told, and then the log, read past it record by record.
///
/// It keeps what is out of the ordinary, in ranges, and nothing of each append, unless it is to follow trims: millions cost no
/// more than a few. Every value
/// begins with a label, `RUN-PRODUCER-SEQUENCE` and a space, so that other writers of the same log do no harm.
package struct AppendLedger: Sendable {
    /// What reading the log has shown.
    package struct Findings: Hashable, Sendable {
        /// Acknowledged and not in the log.
        package var lost = 0
        /// In the log more than once.
        package var duplicated = 0
        /// After a later one of the same producer.
        package var reordered = 0
        /// In the log, though refused with the word that they were not applied.
        package var contradicted = 0
        /// In the log, of those whose outcome nobody could tell.
        package var unknownInLog = 0

        package init() {}

        package var isGood: Bool { self.lost + self.duplicated + self.reordered + self.contradicted == 0 }
    }

    private struct Producer {
        /// The last sequence that an outcome is known of, or known not to be known.
        var last = 0
        var refused = RangeSet<Int>()
        var unknown = RangeSet<Int>()
        /// All below were seen in the log, or are missing so far.
        var next = 1
        var missing = RangeSet<Int>()
        /// Acknowledged, and not trimmed yet; empty in a ledger that does not follow trims.
        var kept: Deque<(sequence: Int, index: LogIndex)> = []

        /// The log holds nothing any more of what was acknowledged up to a sequence: what comes next is behind it. Only
        /// what nobody could tell of may still come, later than it was sent.
        mutating func begin(behind sequence: Int) {
            self.next = max(self.next, sequence + 1)
            self.missing = self.refused.union(self.unknown).intersection(RangeSet(1..<self.next))
        }
    }

    /// The longest label that ``label(_:_:)`` makes, for sequences below 10^12 and producers below 10^4.
    package static let labelByteCountMax = 35

    /// `RUN-`
    private let prefix: String
    private let followsTrims: Bool
    /// Where the log begins.
    private var first = LogIndex.first
    private var producers: [Producer]
    private var findings = Findings()

    /// - Parameters:
    ///   - run: Names this load among others in the same log.
    ///   - followsTrims: It is told of trims before the log is read, and keeps 16 bytes for each acknowledged append that
    ///     is not trimmed.
    package init(producers: Int, run: UInt64 = .random(in: 0 ... .max), followsTrims: Bool = false) {
        self.followsTrims = followsTrims
        self.prefix = String(run, radix: 16) + "-"
        self.producers = Array(repeating: Producer(), count: producers)
    }

    /// What the value of a producer's append begins with; sequences count from 1.
    package func label(_ producer: Int, _ sequence: Int) -> String { "\(self.prefix)\(producer)-\(sequence) " }

    // MARK: What producers were told, in the order of their sequences

    /// - Parameter index: Of its record, for a ledger that follows trims.
    package mutating func acknowledged(_ producer: Int, _ sequence: Int, at index: LogIndex = .first) {
        self.told(producer, sequence)
        guard self.followsTrims else { return }
        if index < self.first {
            self.producers[producer].begin(behind: sequence)
        } else {
            self.producers[producer].kept.append((sequence, index))
        }
    }

    package mutating func refused(_ producer: Int, _ sequence: Int) {
        self.told(producer, sequence)
        self.producers[producer].refused.insert(contentsOf: sequence..<sequence + 1)
    }

    package mutating func unknown(_ producer: Int, _ sequence: Int) {
        self.told(producer, sequence)
        self.producers[producer].unknown.insert(contentsOf: sequence..<sequence + 1)
    }

    private mutating func told(_ producer: Int, _ sequence: Int) {
        precondition(self.producers[producer].last == sequence - 1, "producer \(producer) skipped before \(sequence)")
        self.producers[producer].last = sequence
    }

    /// The log begins at `first` now, and is read from there on.
    package mutating func trimmed(before first: LogIndex) {
        precondition(self.followsTrims, "this ledger was not to follow trims")
        self.first = max(self.first, first)
        for producer in self.producers.indices {
            var last: Int?
            while let oldest = self.producers[producer].kept.first, oldest.index < first {
                last = oldest.sequence
                self.producers[producer].kept.removeFirst()
            }
            if let last { self.producers[producer].begin(behind: last) }
        }
    }

    // MARK: What the log holds

    /// The next record of the log; of another writer, nothing happens.
    package mutating func read(_ value: Bytes) {
        guard let (producer, sequence) = self.parsed(value) else { return }
        var known = self.producers[producer]
        let isUnknown = known.unknown.contains(sequence)
        if sequence >= known.next {
            known.missing.insert(contentsOf: known.next..<sequence)
            known.next = sequence + 1
        } else if known.missing.contains(sequence) {
            known.missing.remove(contentsOf: sequence..<sequence + 1)
            // Whoever goes on after an outcome that nobody could tell, may be overtaken by it later.
            if !isUnknown { self.findings.reordered += 1 }
        } else {
            self.findings.duplicated += 1
            return
        }
        if isUnknown { self.findings.unknownInLog += 1 }
        if known.refused.contains(sequence) { self.findings.contradicted += 1 }
        self.producers[producer] = known
    }

    /// What is wrong with the log, once all of it was read.
    package var result: Findings {
        var findings = self.findings
        for producer in self.producers {
            var lost = producer.missing
            lost.insert(contentsOf: producer.next..<max(producer.next, producer.last + 1))
            lost.subtract(producer.refused)
            lost.subtract(producer.unknown)
            findings.lost += lost.ranges.reduce(0) { $0 + $1.count }
        }
        return findings
    }

    /// - Returns: `nil` when it is nobody's of this load.
    private func parsed(_ value: Bytes) -> (producer: Int, sequence: Int)? {
        guard value.starts(with: self.prefix.utf8) else { return nil }
        let label = value.prefix(Self.labelByteCountMax).prefix { $0 != UInt8(ascii: " ") }
        let parts = label.split(separator: UInt8(ascii: "-")).map { Int(String(decoding: $0, as: UTF8.self)) }
        guard
            parts.count == 3, let producer = parts[1], let sequence = parts[2],
            self.producers.indices.contains(producer), sequence > 0, sequence <= self.producers[producer].last
        else { return nil }
        return (producer, sequence)
    }
}
