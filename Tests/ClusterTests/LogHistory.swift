/// What concurrent clients of one log were told, by one clock; and the judge of a log that it is held against.
///
/// Whether a history is linearizable takes a search in general. A log tells everybody the place, and so leaves nothing
/// to search for. An acknowledged append makes the log as long as its last index; a linearizable read sees one length.
/// That is the operation's *moment*: the length, and at the same length the append before the reads. Every order that
/// explains the answers is sorted by moments: no two appends have the same, and a read stands between the append that
/// made its length and the next one. Reads of one moment change nothing, and stand in the order in which they began.
/// So there is one order to look at, and it keeps to real time exactly when nothing that ended before something else
/// began has a later moment. One sweep over begins and ends finds that, with the latest moment that has ended: sorting
/// is all it costs.
///
/// - An append of unknown outcome that is in the log has a moment and no end; one that is not there never happened.
/// - A committed read may lag, so nothing that ended before binds it. But what it saw was there: it binds what begins
///   after it.
struct LogHistory: Sendable {
    typealias Instant = ContinuousClock.Instant

    enum Fate: Sendable {
        case acknowledged(first: UInt64)
        case refused
        case unknown
    }

    /// One atomic batch. No value is used twice.
    struct Append: Sendable {
        var values: [String]
        var fate: Fate
        var began: Instant
        var ended: Instant
    }

    struct Read: Sendable {
        /// Whose answer it was.
        var node: String
        var isLinearizable: Bool
        /// The index of the first value.
        var first: UInt64
        var values: [String]
        /// The last committed index, as the answer says.
        var length: UInt64
        var began: Instant
        var ended: Instant

        var name: String { "a \(self.isLinearizable ? "linearizable" : "committed") read of \(self.node)" }
    }

    var appends: [Append] = []
    var reads: [Read] = []

    /// Holds a whole log against what was said. The first record's index is 1.
    ///
    /// - Parameters:
    ///   - others: Values that others appended, each once, at any time.
    ///   - isForeign: Whether a value is one of those that others appended, each as often as they liked.
    /// - Returns: What is wrong, in words: appends that are lost, doubled, torn, elsewhere, refused or foreign; reads of
    ///   something else than the log; and what no order explains.
    func findings(
        in log: [String], others: Set<String> = [], isForeign: (String) -> Bool = { _ in false }
    ) -> [String] {
        var findings: [String] = []
        var places: [String: Int] = [:]
        for (place, value) in log.enumerated() where !isForeign(value) {
            if let earlier = places.updateValue(place, forKey: value) {
                findings.append("\(value) stands at \(earlier + 1) and at \(place + 1)")
            }
        }
        findings += self.foreign(in: places, others: others)
        findings += self.appends.compactMap { Self.finding(about: $0, in: log, places) }
        let torn = self.insides(places)
        findings += self.reads.compactMap { Self.finding(about: $0, in: log, torn: torn) }
        return findings + self.disorder(places)
    }

    // MARK: Contents

    private func foreign(in places: [String: Int], others: Set<String>) -> [String] {
        let ours = Set(self.appends.flatMap(\.values))
        let foreign = places.filter { !ours.contains($0.key) && !others.contains($0.key) }
        return foreign.map { "\($0.key) at \($0.value + 1) was appended by nobody" }
            + others.filter { places[$0] == nil }.map { "\($0) is lost" }
    }

    private static func finding(about append: Append, in log: [String], _ places: [String: Int]) -> String? {
        let value = append.values[0]
        let place = append.values.lazy.compactMap { places[$0] }.first
        switch append.fate {
        case .acknowledged(let first):
            guard Array(log.dropFirst(Int(first) - 1).prefix(append.values.count)) != append.values else { return nil }
            let fate = place.map { $0 + 1 == Int(first) ? "is torn" : "stands at \($0 + 1)" } ?? "is lost"
            return "\(value) was acknowledged at \(first) and \(fate)"
        case .refused:
            return place.map { "\(value) was refused and stands at \($0 + 1)" }
        case .unknown:
            guard let place, Array(log.dropFirst(place).prefix(append.values.count)) != append.values else {
                return nil
            }
            return "the batch of \(value) is torn"
        }
    }

    /// Lengths that the log never had: those within a batch.
    private func insides(_ places: [String: Int]) -> [UInt64: String] {
        var insides: [UInt64: String] = [:]
        for append in self.appends where append.values.count > 1 {
            guard let place = places[append.values[0]] else { continue }
            for offset in 1..<append.values.count { insides[UInt64(place + offset)] = append.values[0] }
        }
        return insides
    }

    private static func finding(about read: Read, in log: [String], torn: [UInt64: String]) -> String? {
        let found = log.dropFirst(Int(read.first) - 1).prefix(read.values.count)
        let isPrefix = read.first + UInt64(read.values.count) <= read.length + 1 && read.length <= log.count
        guard isPrefix, Array(found) == read.values else {
            return
                "\(read.name) saw \(read.values.count) records from \(read.first) on, of \(read.length), that are not the log's"
        }
        return torn[read.length].map { "\(read.name) saw half of the batch of \($0)" }
    }

    // MARK: Order

    private struct Moment: Comparable {
        var length: UInt64
        var isRead: Bool

        static func < (a: Moment, b: Moment) -> Bool {
            a.length == b.length ? !a.isRead && b.isRead : a.length < b.length
        }
    }

    private struct Operation {
        var name: String
        var moment: Moment
        var began: Instant
        /// `nil` when nobody knows that it ended.
        var ended: Instant?
        /// What ended before it must have an earlier moment, or the same.
        var isBound = true
    }

    private func operations(_ places: [String: Int]) -> [Operation] {
        let appends = self.appends.compactMap { append -> Operation? in
            let first: UInt64
            var ended: Instant?
            switch append.fate {
            case .acknowledged(let index): (first, ended) = (index, append.ended)
            case .refused: return nil
            case .unknown:
                guard let place = places[append.values[0]] else { return nil }
                first = UInt64(place + 1)
            }
            let moment = Moment(length: first + UInt64(append.values.count) - 1, isRead: false)
            return Operation(
                name: "\(append.values[0]) at \(first)", moment: moment, began: append.began, ended: ended)
        }
        let reads = self.reads.map { read in
            Operation(
                name: "\(read.name) through \(read.length)", moment: Moment(length: read.length, isRead: true),
                began: read.began, ended: read.ended, isBound: read.isLinearizable)
        }
        return appends + reads
    }

    private func disorder(_ places: [String: Int]) -> [String] {
        let operations = self.operations(places)
        let ends = operations.compactMap { operation in operation.ended.map { (ended: $0, operation: operation) } }
            .sorted { $0.ended < $1.ended }
        var findings: [String] = []
        var latest: Operation?
        var count = 0
        for operation in operations.sorted(by: { $0.began < $1.began }) {
            while count < ends.count, ends[count].ended < operation.began {
                let ended = ends[count].operation
                if latest.map({ $0.moment < ended.moment }) ?? true { latest = ended }
                count += 1
            }
            if operation.isBound, let latest, operation.moment < latest.moment {
                findings.append("\(operation.name) began after the end of \(latest.name) and comes before it")
            }
        }
        return findings
    }
}
